import type { FastifyInstance } from 'fastify';

/** A request that holds U+0000, which no text column of PostgreSQL can. */
class NulError extends Error {
  readonly statusCode = 400;
  override readonly message = 'Texts must not hold the character U+0000.';
}

/** Refuses U+0000 anywhere in path, query and body, before anything looks at them. */
export function registerNulCheck(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    if (hasNul(request.params) || hasNul(request.query) || hasNul(request.body)) throw new NulError();
  });
}

function hasNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\u0000');
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([name, one]) => name.includes('\u0000') || hasNul(one));
}
