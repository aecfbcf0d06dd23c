import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { html } from 'ghtml';
import { Type } from 'typebox';
import { coverageLine } from '#src/mail/coverage-words.ts';
import { localeOf } from '#src/mail/languages.ts';
import { FEED_TYPES, renderFeed } from '../feeds.ts';
import { longDate } from '../pages/day.ts';
import {
  goTo,
  isGone,
  readReader,
  readToken,
  sendDeadLink,
  sendPage,
  TokenParams,
  visitOf,
  type Web,
} from '../web.ts';

/** The pages' language. */
const english = localeOf('en');

const IN_FEED_DIGESTS = 10;
const FeedParams = Type.Object({
  token: Type.String(),
  format: Type.Union([Type.Literal('atom'), Type.Literal('json')]),
});

/** What is a reader's own: the archive of digests, and secret feeds of what they were sent. */
export const ownRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { subscribers, archive, archiveDays, views, links, now } = web.deps;

    app.get('/preferences/:token/archive', { schema: { params: TokenParams } }, async (request, reply) => {
      const reader = await readReader(web, request, 'preferences', request.params.token);
      if (!reader) return sendDeadLink(web, reply);
      const digests = await archive(reader.subscriber.id, Number.MAX_SAFE_INTEGER);
      const own = links.linksOf(reader.subscriber);
      const list = digests.map(
        (digest) =>
          html`<li><a href="${own.viewDigest(digest.date)}">${longDate(digest.date)}</a> <span class="soft">${coverageLine(english, { ...digest, shown: digest.paperIds.length })}</span></li>`,
      );
      return sendPage(web, reply, {
        title: 'Your digests',
        body: html`<h1>Your digests</h1>
!${list.length > 0 ? html`<ul class="plain">!${list}</ul>` : html`<p>None yet.</p>`}
<p class="soft">Each is kept for at least ${archiveDays} days.</p>
<p class="actions"><a class="button quiet" href="${own.preferences}">To your preferences</a></p>`,
      });
    });

    app.get('/my-feed/:token.:format', { schema: { params: FeedParams } }, async (request, reply) => {
      const { token, format } = request.params;
      const who = readToken(web, request, 'feed', token);
      const subscriber = who && (await subscribers.findByFeed(who));
      if (!subscriber || 'type' in subscriber) return sendDeadLink(web, reply);
      const digests = await archive(subscriber.id, IN_FEED_DIGESTS);
      const papers = await views.byIds([...new Set(digests.flatMap((digest) => digest.paperIds))]);
      const feed = { title: 'My papers', page: '/', self: `/my-feed/${token}.${format}`, papers };
      return reply.type(FEED_TYPES[format]).send(renderFeed(web.site, feed, format, now()));
    });

    app.post('/preferences/:token/new-feeds', { schema: { params: TokenParams } }, async (request, reply) => {
      const { token } = request.params;
      const reader = await readReader(web, request, 'preferences', token);
      if (!reader) return sendDeadLink(web, reply);
      const outcome = await subscribers.revoke(reader.who, 'feeds', visitOf(request));
      return isGone(request, outcome)
        ? sendDeadLink(web, reply)
        : goTo(web, reply, `/preferences/${token}?saved=1`);
    });

    const ForgetBody = Type.Object({ paper: Type.Optional(Type.Integer({ minimum: 1 })) });
    app.post(
      '/preferences/:token/forget',
      { schema: { params: TokenParams, body: Type.Union([ForgetBody, Type.Null()]) } },
      async (request, reply) => {
        const { token } = request.params;
        const reader = await readReader(web, request, 'preferences', token);
        if (!reader) return sendDeadLink(web, reply);
        const paper = request.body?.paper as Parameters<typeof subscribers.forgetFeedback>[1];
        const outcome = await subscribers.forgetFeedback(reader.who, paper, visitOf(request));
        return isGone(request, outcome)
          ? sendDeadLink(web, reply)
          : goTo(web, reply, `/preferences/${token}?saved=1`);
      },
    );

    app.post('/preferences/:token/reset', { schema: { params: TokenParams } }, async (request, reply) => {
      const { token } = request.params;
      const reader = await readReader(web, request, 'preferences', token);
      if (!reader) return sendDeadLink(web, reply);
      const visit = visitOf(request);
      const outcome = await subscribers.updatePreferences(reader.who, { follows: [] }, visit);
      if (isGone(request, outcome)) return sendDeadLink(web, reply);
      await subscribers.forgetFeedback(reader.who, undefined, visit);
      return goTo(web, reply, `/preferences/${token}?saved=1`);
    });
    done();
  };
