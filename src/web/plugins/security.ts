import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Nothing from anywhere else, no inline script or style, no frame around us. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Pages hold keys in their paths: no referrer ever leaves them. */
const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), browsing-topics=()',
};
const HSTS = { 'strict-transport-security': 'max-age=31536000' };

/** A digest shown as a page: the mail's inline styles, and nothing else; remote pictures stay out. */
export const DIGEST_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/**
 * Sets the headers that every answer carries. They are constants, so nothing has to be worked out per request:
 * a library that does it costs a tenth of a cached page.
 */
export function registerSecurity(app: FastifyInstance, options: { hsts: boolean }): void {
  const headers = options.hsts ? { ...HEADERS, ...HSTS } : HEADERS;
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
}

/**
 * Whether a POST was caused by another site. The forms need no cookie, so there is nothing to ride on but the
 * subscribe form; browsers say where a post comes from (Fetch Metadata; `Origin` is `null` under no-referrer).
 */
export function isCrossSite(request: FastifyRequest, origin: string): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const from = request.headers.origin;
  return from !== undefined && from !== 'null' && from !== origin;
}
