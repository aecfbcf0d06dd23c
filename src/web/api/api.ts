import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { apiReferencePage } from '../pages/api-reference.ts';
import { sendPage, type Web } from '../web.ts';
import { nameSchemas } from './components.ts';
import { registerGuard, registerIdempotency } from './guard.ts';
import { paperApi } from './papers.ts';
import { registerProblems } from './problem.ts';
import { subscriberApi } from './subscribers.ts';
import { topicApi } from './topics.ts';

/** Bodies of the API: 500 papers with long abstracts. */
const BODY_LIMIT = 16 * 1024 * 1024;

/** The HTTP API under /api/v1, its OpenAPI 3.1 description made from the very schemas that check requests. */
export async function registerApi(app: FastifyInstance, web: Web, perMinute: number): Promise<void> {
  await app.register(swagger, {
    openapi: openapi(web),
    transformObject: (document) =>
      'openapiObject' in document ? nameSchemas(document.openapiObject) : document.swaggerObject,
  });
  await app.register(rateLimit, {
    max: perMinute,
    timeWindow: 60_000,
    enableDraftSpec: true,
  });
  registerProblems(app);
  registerJson(app);
  registerGuard(app, web);
  registerIdempotency(app, web);
  app.addHook('onRoute', (route) => {
    route.bodyLimit ??= BODY_LIMIT;
  });
  await app.register(
    async (api) => {
      await api.register(paperApi(web));
      await api.register(topicApi(web));
      await api.register(subscriberApi(web));
    },
    { prefix: '/v1' },
  );
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/', { schema: { hide: true } }, (_request, reply) =>
    sendPage(web, reply, apiReferencePage(web.site, app.swagger())),
  );
}

/** Many generated clients say that they send JSON where they send nothing, as with DELETE: that is no fault. */
function registerJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null) : parse(request, body, done),
  );
}

const openapi = (web: Web) => ({
  openapi: '3.1.0',
  info: {
    title: 'Paperboy',
    version: '1',
    description:
      'Papers, topics and subscribers of this service. Reading papers and topics is public; everything else needs an API key with the right scope. Lists are paged by cursor. Writes take an Idempotency-Key header. Faults are problem+json (RFC 9457).',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  // Public, where an operation doesn't say otherwise.
  security: [],
  servers: [{ url: `${web.site.origin}${web.site.base}` }],
  components: {
    securitySchemes: { apiKey: { type: 'http' as const, scheme: 'bearer' } },
  },
  tags: [
    { name: 'papers', description: 'Papers by day, by name and by search' },
    { name: 'topics', description: 'The topic catalogue' },
    { name: 'subscribers', description: 'Who gets digests' },
  ],
});
