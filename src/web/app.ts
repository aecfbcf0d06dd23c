import formbody from '@fastify/formbody';
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyInstance, LogController, type RouteOptions } from 'fastify';
import { registerApi } from './api/api.ts';
import { sendProblem } from './api/problem.ts';
import type { WebDependencies, WebOptions } from './dependencies.ts';
import { loadAssets, registerAssets } from './plugins/assets.ts';
import { registerErrors, sendFault } from './plugins/errors.ts';
import { createFormTimes } from './plugins/form-token.ts';
import { registerNulCheck } from './plugins/nul.ts';
import { isCrossSite, registerSecurity } from './plugins/security.ts';
import { dayRoutes } from './routes/days.ts';
import { feedbackRoutes } from './routes/feedback.ts';
import { leavingRoutes } from './routes/leaving.ts';
import { mailRoutes } from './routes/mails.ts';
import { oneClickRoutes } from './routes/one-click.ts';
import { ownRoutes } from './routes/own.ts';
import { paperRoutes } from './routes/papers.ts';
import { preferencesRoutes } from './routes/preferences.ts';
import { robotsRoutes } from './routes/robots.ts';
import { sourcesRoutes } from './routes/sources.ts';
import { subscribeRoutes } from './routes/subscribe.ts';
import { weightsRoutes } from './routes/weights.ts';
import { type Site, siteUrls } from './site.ts';
import type { Web } from './web.ts';

/** Largest body of a page's form. */
const BODY_LIMIT = 128 * 1024;
/** Tokens of confirmations are the longest part of any path of ours; topics' values may be longer. */
const MAX_PARAM_LENGTH = 1200;

/**
 * Makes the web server: pages, feeds and API. Not listening yet; `app.listen()` and `app.close()` are the caller's.
 * Nothing changes state on GET; every fault of a visitor gets a page (or problem+json) with a 4xx.
 * @param onRoute told of every route as it is registered, with its schemas
 */
export async function createApp(
  deps: WebDependencies,
  options: WebOptions,
  onRoute?: (route: RouteOptions) => void,
): Promise<FastifyInstance> {
  const assets = loadAssets();
  const web: Web = { deps, site: createSite(options, assets), formTimes: createFormTimes(options.secret) };
  const app = Fastify({
    trustProxy: typeof options.trustProxy === 'boolean' ? options.trustProxy : [...options.trustProxy],
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    ...(options.logger ? { loggerInstance: options.logger } : { logger: false }),
    // A path holds keys: requests are logged by route, not by address.
    logController: new LogController({ disableRequestLogging: true }),
    // Addresses that can't even be decoded.
    frameworkErrors: (error, request, reply) =>
      void (request.url.startsWith(`${web.site.base}/api/`)
        ? sendProblem(reply, error.statusCode ?? 400)
        : sendFault(web, reply, error.statusCode ?? 400)),
  }).withTypeProvider<TypeBoxTypeProvider>();

  if (onRoute) app.addHook('onRoute', onRoute);
  registerSecurity(app, { hsts: options.hsts ?? false });
  registerErrors(web, app);
  registerNulCheck(app);
  app.get('/healthz', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    try {
      await deps.ping();
      return reply.send({ status: 'ok' });
    } catch (error) {
      request.log.error(error, 'the database is out of reach');
      return reply.code(503).send({ status: 'unavailable' });
    }
  });
  await app.register(
    async (pages) => {
      registerAssets(pages, assets);
      await pages.register(oneClickRoutes(web));
      await pages.register(dayRoutes(web));
      await pages.register(async (papers) => {
        await papers.register(rateLimit, { global: false });
        await papers.register(paperRoutes(web));
      });
      await pages.register(sourcesRoutes(web));
      await pages.register(robotsRoutes(web));
      if (deps.mailPreviews) await pages.register(mailRoutes(web, deps.mailPreviews));
      await pages.register(async (api) => registerApi(api, web, options.apiRequestsPerMinute ?? 300), {
        prefix: '/api',
      });
      await pages.register(async (forms) => registerForms(web, forms, options));
    },
    { prefix: web.site.base },
  );
  return app;
}

/** The pages with forms: bodies are read, posts of other sites refused, posts of one visitor limited. */
async function registerForms(web: Web, app: FastifyInstance, options: WebOptions): Promise<void> {
  await app.register(formbody);
  await app.register(rateLimit, {
    max: options.postsPerMinute ?? 60,
    timeWindow: 60_000,
    allowList: (request) => request.method !== 'POST',
  });
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    if (request.method === 'POST' && isCrossSite(request, web.site.origin)) return sendFault(web, reply, 403);
  });
  await app.register(subscribeRoutes(web));
  await app.register(preferencesRoutes(web));
  await app.register(weightsRoutes(web));
  await app.register(ownRoutes(web));
  await app.register(leavingRoutes(web));
  await app.register(feedbackRoutes(web));
}

function createSite(options: WebOptions, assets: ReturnType<typeof loadAssets>): Site {
  const { operatorName, postalAddress, consentText, baseUrl } = options;
  return {
    ...siteUrls(baseUrl),
    operatorName,
    postalAddress,
    consentText,
    asset: (name) => {
      const asset = assets.get(name);
      if (!asset) throw new Error(`no such asset: ${name}`);
      return asset.path;
    },
  };
}
