import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type PaperId, utcDate } from '#src/database/ids.ts';
import { findCategory, topicName } from '#src/topics/catalogue.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import { parseQuery } from '#src/topics/query/parse.ts';
import type { TopicRef } from '#src/topics/topic.ts';
import type { ListedPaper } from '../dependencies.ts';
import { FEED_TYPES, type Feed, type FeedFormat, renderFeed } from '../feeds.ts';
import { layout } from '../pages/layout.ts';
import { paperPath } from '../pages/paper.ts';
import { paperPage } from '../pages/paper-page.ts';
import { type SearchView, searchPage } from '../pages/search.ts';
import { topicPage, topicPath, topicsPage } from '../pages/topics.ts';
import { cachedPage } from '../plugins/page-cache.ts';
import { createTopicsOf } from '../topics-of.ts';
import { sendPage, type Web } from '../web.ts';

const PER_PAGE = 50;
const IN_FEED = 50;
const KEPT_MS = 60_000;
/** Searches are made for each visitor anew: so many a minute are a person's. */
const SEARCHES = { max: 600, timeWindow: 60_000 };

const SearchQuery = Type.Object({
  q: Type.String({ maxLength: 500, default: '' }),
  from: Type.Integer({ minimum: 0, maximum: 1000, default: 0 }),
});

/** A topic with a page, and its papers. */
type TopicList = { name: string; description: string; papers: ListedPaper[]; topic: TopicRef };

/** Papers, topics, searches and the public feeds. */
export const paperRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { views, now } = web.deps;
    const cached = cachedPage(now, KEPT_MS);
    const sendFeed = (
      request: FastifyRequest,
      reply: FastifyReply,
      format: FeedFormat,
      feed: Pick<Feed, 'self'> & { read: () => Promise<Omit<Feed, 'self'>> },
    ) =>
      cached(
        request,
        reply,
        feed.self,
        async () => renderFeed(web.site, { self: feed.self, ...(await feed.read()) }, format, now()),
        FEED_TYPES[format],
      );

    app.get(
      '/papers/:identifier',
      { schema: { params: Type.Object({ identifier: Type.String() }) } },
      async (request, reply) => {
        const { identifier } = request.params;
        if (/^\d{1,15}$/.test(identifier)) {
          const identity = await views.identity(Number(identifier) as PaperId);
          return identity
            ? reply.redirect(`${web.site.base}${paperPath({ identity })}`, 301)
            : reply.callNotFound();
        }
        const identity = await views.identityOf(identifier);
        if (identity === null) return reply.callNotFound();
        if (identity !== identifier) return reply.redirect(`${web.site.base}${paperPath({ identity })}`, 301);
        return cached(request, reply, `paper ${identity}`, () => renderPaper(web, identity));
      },
    );

    app.get('/topics', (request, reply) =>
      cached(request, reply, 'topics', async () =>
        layout(web.site, topicsPage(web.site, await web.deps.catalogue())),
      ),
    );

    const TopicParams = Type.Object({ kind: Type.String({ maxLength: 20 }), value: Type.String() });
    app.get('/topics/:kind/:value', { schema: { params: TopicParams } }, async (request, reply) => {
      const { kind, value } = request.params;
      const [, plain, format] = /^(.*?)(?:\.(atom|json))?$/s.exec(value) ?? [];
      const parsed = parseTopic(kind, plain ?? '', await web.deps.catalogue());
      if (parsed.type === 'invalid') return reply.callNotFound();
      const { topic } = parsed;
      const query = searchFor(topic);
      if (query) return reply.redirect(`${web.site.base}/search?q=${encodeURIComponent(query)}`, 302);
      if (topic.kind === 'trending' || topic.kind === 'paper')
        return reply.redirect(`${web.site.base}/`, 302);
      const path = topicPath(topic);
      if (format === 'atom' || format === 'json')
        return sendFeed(request, reply, format, {
          self: `${path}.${format}`,
          read: async () => {
            const { name, papers } = await topicList(web, topic);
            return { title: name, page: path, papers: papers.slice(0, IN_FEED) };
          },
        });
      return cached(request, reply, path, async () => {
        const list = await topicList(web, topic);
        return layout(
          web.site,
          topicPage(web.site, {
            ...list,
            subscribe: { time: web.formTimes.issue(now()) },
            topicsOf: createTopicsOf(await web.deps.catalogue()),
          }),
        );
      });
    });

    app.get(
      '/search',
      { schema: { querystring: SearchQuery }, config: { rateLimit: SEARCHES } },
      async (request, reply) => {
        const view = await searchView(web, request.query.q, request.query.from);
        return sendPage(web, reply, searchPage(web.site, view), view.fault ? 400 : 200);
      },
    );

    app.get(
      '/search.:format',
      { schema: { params: FormatParams, querystring: SearchQuery }, config: { rateLimit: SEARCHES } },
      async (request, reply) => {
        const parsed = parseQuery(request.query.q);
        if (parsed.type === 'invalid') return reply.callNotFound();
        const q = encodeURIComponent(parsed.canonical);
        return sendFeed(request, reply, request.params.format, {
          self: `/search.${request.params.format}?q=${q}`,
          read: async () => ({
            title: `Papers: ${parsed.canonical}`,
            page: `/search?q=${q}`,
            papers: (await views.search(parsed.query, { offset: 0, limit: IN_FEED })).papers,
          }),
        });
      },
    );

    app.get('/today.:format', { schema: { params: FormatParams } }, (request, reply) =>
      sendFeed(request, reply, request.params.format, {
        self: `/today.${request.params.format}`,
        read: async () => {
          const newest = await web.deps.days.latest(utcDate(now()));
          const papers = newest ? (await web.deps.days.day(newest, IN_FEED)).papers : [];
          return { title: 'Trending papers of the day', page: '/', papers };
        },
      }),
    );
    done();
  };

async function renderPaper(web: Web, identity: string): Promise<string> {
  const detail = await web.deps.views.paper(identity);
  if (!detail) throw new Error(`${identity} vanished while its page was made`);
  return layout(web.site, paperPage(web.site, detail, createTopicsOf(await web.deps.catalogue())));
}

const FormatParams = Type.Object({ format: Type.Union([Type.Literal('atom'), Type.Literal('json')]) });

/** Topics without a page of their own are searches. */
function searchFor(topic: TopicRef): string | null {
  switch (topic.kind) {
    case 'query':
      return topic.value;
    case 'author':
      return `author:"${topic.value.replaceAll('"', '')}"`;
    case 'organisation':
      return `org:"${topic.value.replaceAll('"', '')}"`;
    case 'topic':
    case 'category':
    case 'paper':
    case 'trending':
      return null;
  }
}

async function topicList(web: Web, topic: TopicRef): Promise<TopicList> {
  if (topic.kind === 'category') {
    const papers = await web.deps.views.ofCategory(topic.value, PER_PAGE);
    const description = findCategory(topic.value)?.description ?? '';
    return { topic, name: topicName(topic), description, papers };
  }
  const entry = (await web.deps.catalogue()).find(({ slug }) => slug === topic.value);
  const papers = entry ? await web.deps.views.ofTopic(entry, PER_PAGE) : [];
  return { topic, name: entry?.name ?? topicName(topic), description: entry?.description ?? '', papers };
}

async function searchView(web: Web, typed: string, offset: number): Promise<SearchView> {
  const subscribe = { time: web.formTimes.issue(web.deps.now()) };
  const topicsOf = createTopicsOf(await web.deps.catalogue());
  if (typed.trim() === '') return { typed: '', fault: null, result: null, subscribe, topicsOf };
  const parsed = parseQuery(typed);
  if (parsed.type === 'invalid') return { typed, fault: parsed.message, result: null, subscribe, topicsOf };
  const { papers, total } = await web.deps.views.search(parsed.query, { offset, limit: PER_PAGE });
  const result = { canonical: parsed.canonical, papers, total, offset, perPage: PER_PAGE };
  return { typed, fault: null, result, subscribe, topicsOf };
}
