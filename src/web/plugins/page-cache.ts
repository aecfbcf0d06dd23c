import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Encoded, sendEncoded } from './encoded.ts';

type Kept = { readonly body: Encoded; readonly etag: string; readonly until: number };

const compress = {
  br: (plain: Buffer) =>
    promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (plain: Buffer) => promisify(gzip)(plain),
};
/** Pages kept at most: a visitor who walks through the years must not fill the memory. */
const MOST = 200;

/** Sends a public page out of the cache, rendering it first where needed. */
export type CachedPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
  render: () => Promise<string>,
  type?: string,
) => Promise<FastifyReply>;

/**
 * Keeps rendered public pages with their encodings for `keptMs`. Requests that come while one renders share it; a
 * page that has just lapsed is served once more while it is renewed, so that nobody waits for the database.
 */
export function cachedPage(now: () => Date, keptMs: number): CachedPage {
  const kept = new Map<string, Kept>();
  const rendering = new Map<string, Promise<Kept>>();

  const renew = (key: string, render: () => Promise<string>): Promise<Kept> => {
    let promise = rendering.get(key);
    if (!promise) {
      promise = renderPage(render, now().getTime() + keptMs)
        .then((page) => {
          kept.delete(key);
          kept.set(key, page);
          const oldest = kept.size > MOST ? kept.keys().next().value : undefined;
          if (oldest !== undefined) kept.delete(oldest);
          return page;
        })
        .finally(() => rendering.delete(key));
      rendering.set(key, promise);
    }
    return promise;
  };

  return async (request, reply, key, render, type = 'text/html; charset=utf-8') => {
    let page = kept.get(key);
    const late = page ? now().getTime() - page.until : Number.POSITIVE_INFINITY;
    if (!page || late > keptMs) page = await renew(key, render);
    else if (late > 0)
      renew(key, render).catch((error) => request.log.error(error, 'a page was not renewed'));
    void reply.header('cache-control', 'public, max-age=60').header('etag', page.etag).type(type);
    if (request.headers['if-none-match'] === page.etag) return reply.code(304).send();
    return sendEncoded(request, reply, page.body);
  };
}

async function renderPage(render: () => Promise<string>, until: number): Promise<Kept> {
  const plain = Buffer.from(await render());
  const [br, gz] = await Promise.all([compress.br(plain), compress.gzip(plain)]);
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  return { body: { plain, br, gzip: gz }, etag, until };
}
