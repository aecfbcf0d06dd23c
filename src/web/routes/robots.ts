import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { html } from 'ghtml';
import { addDays, utcDate } from '#src/database/ids.ts';
import { ARXIV_CATEGORIES } from '#src/topics/catalogue.ts';
import { topicPath } from '../pages/topics.ts';
import { cachedPage } from '../plugins/page-cache.ts';
import type { Web } from '../web.ts';

/** Paths that hold keys or answer to one person: nothing for search engines. */
const PRIVATE = [
  'confirm',
  'preferences',
  'pause',
  'unsubscribe',
  'one-click',
  'undo',
  'feedback',
  'topic',
  'digest',
  'my-feed',
  'check-your-mail',
  'api/',
];
const DAYS = 60;

/** robots.txt (RFC 9309) and the sitemap: start, topics, and the last days. */
export const robotsRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { site } = web;
    const root = `${site.origin}${site.base}`;
    const cached = cachedPage(web.deps.now, 3_600_000);

    app.get('/robots.txt', (_request, reply) =>
      reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'public, max-age=3600')
        .send(
          `User-agent: *\n${PRIVATE.map((path) => `Disallow: ${site.base}/${path}${path.endsWith('/') ? '' : '/'}\n`).join('')}Sitemap: ${root}/sitemap.xml\n`,
        ),
    );

    app.get('/sitemap.xml', (request, reply) =>
      cached(
        request,
        reply,
        'sitemap',
        async () => {
          const newest = (await web.deps.days.latest(utcDate(web.deps.now()))) ?? utcDate(web.deps.now());
          const catalogue = await web.deps.catalogue();
          const paths = [
            '/',
            '/topics',
            '/search',
            ...catalogue.map(({ slug }) => topicPath({ kind: 'topic', value: slug })),
            ...ARXIV_CATEGORIES.map(({ code }) => topicPath({ kind: 'category', value: code })),
            ...Array.from({ length: DAYS }, (_, i) => `/day/${addDays(newest, -i)}`),
          ];
          return html`<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">!${paths.map((path) => html`<url><loc>${root}${path}</loc></url>`)}</urlset>
`;
        },
        'application/xml; charset=utf-8',
      ),
    );
    done();
  };
