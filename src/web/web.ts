import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Visit } from '#src/subscribers/ports.ts';
import type { StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import type { TokenPurpose, TokenSubject } from '#src/subscribers/tokens.ts';
import type { WebDependencies } from './dependencies.ts';
import { type Html, layout, type Page } from './pages/layout.ts';
import { deadLinkPage } from './pages/message.ts';
import type { FormTimes } from './plugins/form-token.ts';
import type { Site } from './site.ts';

/** What routes work with. */
export type Web = {
  readonly deps: WebDependencies;
  readonly site: Site;
  readonly formTimes: FormTimes;
};

/** Sends a page. */
export function sendPage(web: Web, reply: FastifyReply, page: Page, status = 200): FastifyReply {
  return sendHtml(reply, layout(web.site, page), status);
}

/** Sends markup. */
export function sendHtml(reply: FastifyReply, markup: Html, status = 200): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(markup);
}

/** Goes on to another page after a POST (RFC 9110, 303). `path` is one of ours, without the base. */
export const goTo = (web: Web, reply: FastifyReply, path: string): FastifyReply =>
  reply.redirect(`${web.site.base}${path}`, 303);

/** Where a request came from, for the events. */
export const visitOf = (request: FastifyRequest): Visit => ({
  ip: request.ip || null,
  userAgent: request.headers['user-agent'] ?? null,
});

/** Parameters of every path that begins with a link's token. */
export const TokenParams = Type.Object({ token: Type.String() });

/** A reader whose link is good. */
export type Reader = {
  readonly who: TokenSubject;
  readonly subscriber: StoredSubscriber & { readonly email: string };
};

/** Reads the token of a link; null when it is not good, which only the log tells more of. */
export function readToken(
  web: Web,
  request: FastifyRequest,
  purpose: TokenPurpose,
  token: string,
): TokenSubject | null {
  const result = web.deps.tokens.read(purpose, token, web.deps.now());
  if (result.type === 'ok') return { publicId: result.publicId, epoch: result.epoch };
  request.log.info({ link: purpose, fault: result.type }, 'a link was refused');
  return null;
}

/** The reader of a link, or null when there is none any more. */
export async function readReader(
  web: Web,
  request: FastifyRequest,
  purpose: TokenPurpose,
  token: string,
): Promise<Reader | null> {
  const who = readToken(web, request, purpose, token);
  if (!who) return null;
  const found = await web.deps.subscribers.find(who);
  if (found.type === 'ok') return { who, subscriber: found.subscriber };
  request.log.info({ link: purpose, fault: found.type }, 'a link was refused');
  return null;
}

/** The one answer to every link that is not good. */
export const sendDeadLink = (web: Web, reply: FastifyReply): FastifyReply =>
  sendPage(web, reply, deadLinkPage(web.site), 410);

/** True for outcomes of use cases that mean the reader is gone; logs which it was. */
export function isGone<Outcome extends { readonly type: string }>(
  request: FastifyRequest,
  outcome: Outcome,
): outcome is Extract<Outcome, { readonly type: 'unknown' | 'revoked' }> {
  const gone = outcome.type === 'unknown' || outcome.type === 'revoked';
  if (gone) request.log.info({ fault: outcome.type }, 'a link was refused');
  return gone;
}
