import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Web } from '../web.ts';
import type { ApiKey, Scope } from './api-key-store.ts';
import { sendProblem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope an API route needs; absent: public. */
    scope?: Scope;
  }
}

/** The key of each request at work; nothing is hung on the request itself. */
const keys = new WeakMap<FastifyRequest, ApiKey>();

/** Checks the bearer's key and its scope before a guarded route reads its body. */
export function registerGuard(app: FastifyInstance, web: Web): void {
  app.addHook('onRequest', async (request, reply) => {
    const { scope } = request.routeOptions.config;
    if (!scope) return;
    const [, key] = /^Bearer (pb_[\w-]{43})$/i.exec(request.headers.authorization ?? '') ?? [];
    const found = key ? await web.deps.api.keys.find(key) : null;
    if (!found) {
      void reply.header('www-authenticate', 'Bearer realm="paperboy"');
      return sendProblem(reply, 401, 'Send an API key: Authorization: Bearer pb_…');
    }
    if (!found.scopes.includes(scope)) return sendProblem(reply, 403, `This key lacks the scope ${scope}.`);
    keys.set(request, found);
  });
}

const WriteHeaders = Type.Object({
  'Idempotency-Key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'of your choice: a write sent again under its key is done once',
    }),
  ),
});

/** Answers a write that carries an Idempotency-Key as it was answered the first time. */
export function registerIdempotency(app: FastifyInstance, web: Web): void {
  const { idempotency } = web.deps.api;
  // Told of in the description, so that generated clients have an argument for it.
  app.addHook('onRoute', (route) => {
    const writes = route.config?.scope && route.method !== 'GET' && route.method !== 'HEAD';
    if (writes) route.schema = { ...route.schema, headers: WriteHeaders };
  });
  const begun = new WeakMap<FastifyRequest, { readonly apiKeyId: number; readonly key: string }>();

  app.addHook('preHandler', async (request, reply) => {
    const apiKey = keys.get(request);
    const key = request.headers['idempotency-key'];
    if (!apiKey || request.method === 'GET' || typeof key !== 'string') return;
    const state = await idempotency.begin(apiKey.id, key, hashOf(request));
    switch (state.type) {
      case 'new':
        begun.set(request, { apiKeyId: apiKey.id, key });
        return;
      case 'done':
        return replay(reply, state);
      case 'running':
        return sendProblem(reply, 409, 'A request with this Idempotency-Key is still at work.');
      case 'mismatch':
        return sendProblem(reply, 422, 'This Idempotency-Key was used for another request.');
    }
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const mine = begun.get(request);
    if (mine)
      await idempotency.finish(
        mine.apiKeyId,
        mine.key,
        reply.statusCode,
        typeof payload === 'string' ? payload : '',
      );
    return payload;
  });
}

function replay(reply: FastifyReply, state: { status: number; body: unknown }): FastifyReply {
  const type = state.status >= 400 ? 'application/problem+json' : 'application/json';
  void reply.code(state.status).type(`${type}; charset=utf-8`).header('idempotent-replayed', 'true');
  return reply.send(state.body === null ? '' : JSON.stringify(state.body));
}

const hashOf = (request: FastifyRequest): Buffer =>
  createHash('sha256')
    .update(`${request.method}\n${request.url}\n${JSON.stringify(request.body ?? null, inOrder)}`)
    .digest();

/** For JSON.stringify: names in order. Many languages keep them in none, and a new one each time a request is written. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
