import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { isGone, readToken, TokenParams, visitOf, type Web } from '../web.ts';

/** What the mailbox provider's machine is told. */
const DONE = 'You are unsubscribed.\n';
const NOT_FOUND = 'This link no longer works.\n';

/**
 * One-click unsubscription (RFC 8058): a POST of a mailbox provider, urlencoded or multipart, without cookie,
 * without redirect, doing it again does no harm, and nothing limits its rate. The body says only
 * `List-Unsubscribe=One-Click`, so whatever comes is drained and not read: a provider's odd form must not keep
 * a reader subscribed. A person who opens the address is shown the page with the button.
 */
export const oneClickRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { bodyLimit: 65_536 }, (_request, payload, parsed) => {
      payload.resume();
      payload.on('end', () => parsed(null));
      payload.on('error', (error) => parsed(error));
    });

    app.post('/one-click/:token', { schema: { params: TokenParams } }, async (request, reply) => {
      const who = readToken(web, request, 'one-click', request.params.token);
      const outcome = who && (await web.deps.subscribers.unsubscribe(who, 'one-click', visitOf(request)));
      const gone = !outcome || isGone(request, outcome);
      return reply
        .code(gone ? 410 : 200)
        .type('text/plain; charset=utf-8')
        .send(gone ? NOT_FOUND : DONE);
    });

    app.get('/one-click/:token', { schema: { params: TokenParams } }, (request, reply) => {
      const who = readToken(web, request, 'one-click', request.params.token);
      if (!who) return reply.callNotFound();
      const page = web.deps.links.linksOf({ publicId: who.publicId, linkEpoch: who.epoch }).unsubscribe;
      return reply.redirect(page, 303);
    });
    done();
  };
