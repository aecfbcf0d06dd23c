import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { sourcesPage } from '../pages/sources.ts';
import { cachedPage } from '../plugins/page-cache.ts';
import type { Web } from '../web.ts';

/** How long a rendered page may be served again. */
const KEPT_MS = 30_000;

/** How the sources are: public, so that readers see why a digest is thin. */
export const sourcesRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const cached = cachedPage(web.deps.now, KEPT_MS);
    app.get('/sources', (request, reply) =>
      cached(request, reply, 'sources', async () => sourcesPage(web.site, await web.deps.sourceStatuses())),
    );
    done();
  };
