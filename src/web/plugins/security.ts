import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Nothing from anywhere else, no inline script or style, no frame around us. */
export const POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** A digest shown as a page: the mail's inline styles, and nothing else; remote pictures stay out. */
export const DIGEST_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/** Sets the headers that every answer carries. Pages hold keys in their paths: no referrer ever leaves them. */
export async function registerSecurity(app: FastifyInstance, options: { hsts: boolean }): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: POLICY,
    referrerPolicy: { policy: 'no-referrer' },
    hsts: options.hsts ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    crossOriginResourcePolicy: { policy: 'same-origin' },
    xDnsPrefetchControl: { allow: false },
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
