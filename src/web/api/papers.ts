import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { type IsoDate, isoDate, utcDate } from '#src/database/ids.ts';
import type { ListingRecord } from '#src/papers/paper.ts';
import { instantOf, known } from '#src/papers/text.ts';
import { parseQuery } from '#src/topics/query/parse.ts';
import type { Web } from '../web.ts';
import { FAULTS, sendProblem } from './problem.ts';
import {
  fromCursor,
  PageQuery,
  type PaperIn,
  PaperOut,
  PapersIn,
  PapersStored,
  PER_PAGE,
  pageOf,
  paperOut,
  toCursor,
} from './schemas.ts';

const MOST_OF_A_DAY = 2000;

/** Reading papers is public; storing them needs `papers:write`. */
export const paperApi =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { days, views, now, api } = web.deps;

    app.get(
      '/papers',
      {
        schema: {
          operationId: 'listPapers',
          summary: 'Papers of a day, the best trend first',
          tags: ['papers'],
          querystring: Type.Object({
            ...PageQuery.properties,
            day: Type.Optional(
              Type.String({ maxLength: 10, description: 'YYYY-MM-DD; the newest day when absent' }),
            ),
          }),
          response: { 200: pageOf(PaperOut), ...FAULTS },
        },
      },
      async (request, reply) => {
        const { limit = PER_PAGE, cursor, day } = request.query;
        const offset = fromCursor(cursor);
        if (offset === null) return sendProblem(reply, 400, 'cursor: use `next` of the page before.');
        const date = day === undefined ? await days.latest(utcDate(now())) : dateOrNull(day);
        if (day !== undefined && date === null) return sendProblem(reply, 400, 'day: a date as YYYY-MM-DD.');
        if (date === null) return { items: [], next: null };
        const { papers } = await days.day(date, MOST_OF_A_DAY);
        return {
          items: papers.slice(offset, offset + limit).map((paper) => paperOut(web.site, paper)),
          next: offset + limit < papers.length ? toCursor(offset + limit) : null,
        };
      },
    );

    app.get(
      '/papers/:identifier',
      {
        schema: {
          operationId: 'getPaper',
          summary: 'One paper by any name it goes by',
          tags: ['papers'],
          params: Type.Object({
            identifier: Type.String({ description: 'such as arxiv:2606.01234, URL-encoded' }),
          }),
          response: { 200: PaperOut, ...FAULTS },
        },
      },
      async (request, reply) => {
        const detail = await views.paper(request.params.identifier);
        return detail ? paperOut(web.site, detail.paper) : sendProblem(reply, 404, 'There is no such paper.');
      },
    );

    app.get(
      '/search',
      {
        schema: {
          operationId: 'searchPapers',
          summary: 'Search all papers',
          description: 'Words, "phrases", -not, author:, cat:, org:, title:, after:, OR and brackets.',
          tags: ['papers'],
          querystring: Type.Object({
            ...PageQuery.properties,
            q: Type.String({ minLength: 1, maxLength: 500 }),
          }),
          response: { 200: pageOf(PaperOut), ...FAULTS },
        },
      },
      async (request, reply) => {
        const { q, limit = PER_PAGE, cursor } = request.query;
        const offset = fromCursor(cursor);
        if (offset === null) return sendProblem(reply, 400, 'cursor: use `next` of the page before.');
        const parsed = parseQuery(q);
        if (parsed.type === 'invalid') return sendProblem(reply, 400, parsed.message);
        const { papers, total } = await views.search(parsed.query, { offset, limit });
        return {
          items: papers.map((paper) => paperOut(web.site, paper)),
          next: offset + limit < total ? toCursor(offset + limit) : null,
        };
      },
    );

    app.post(
      '/papers',
      {
        config: { scope: 'papers:write' },
        schema: {
          operationId: 'putPapers',
          summary: 'Store papers listed by a source on a day',
          description:
            'Idempotent: the same papers again change nothing; papers known by any of their names are updated.',
          tags: ['papers'],
          security: [{ apiKey: [] }],
          body: PapersIn,
          response: { 200: PapersStored, ...FAULTS },
        },
      },
      async (request, reply) => {
        const { source, papers } = request.body;
        const listedOn = dateOrNull(request.body.listedOn);
        if (!listedOn) return sendProblem(reply, 400, 'listedOn: a real date as YYYY-MM-DD.');
        const nameless = papers.findIndex((paper) => !paper.arxivId && !paper.doi && !paper.sourceId);
        if (nameless >= 0)
          return sendProblem(reply, 400, 'Each paper needs an arxivId, a doi or a sourceId.', [
            { field: `body.papers.${nameless}`, message: 'has no identifier' },
          ]);
        const undated = papers.findIndex(({ publishedAt }) => publishedAt && !instantOf(publishedAt));
        if (undated >= 0)
          return sendProblem(reply, 400, 'publishedAt: an instant of the years 1900 to 2200.', [
            { field: `body.papers.${undated}.publishedAt`, message: 'is no such instant' },
          ]);
        const listings = papers.map((paper, i) =>
          listingOf(paper, { source, listedOn, position: i + 1, now: now() }),
        );
        const report = await api.putListings(listings);
        const created = new Set(report.created).size;
        return { created, known: new Set(report.papers).size - created };
      },
    );
    done();
  };

function dateOrNull(text: string): IsoDate | null {
  try {
    return isoDate(text);
  } catch {
    return null;
  }
}

function listingOf(
  paper: Static<typeof PaperIn>,
  listing: { source: string; listedOn: IsoDate; position: number; now: Date },
): ListingRecord {
  const { upvotes, comments, githubStars, publishedAt, doi, sourceId, ...record } = paper;
  const signals = {
    ...(upvotes === undefined ? {} : { upvotes }),
    ...(comments === undefined ? {} : { comments }),
    ...(githubStars === undefined ? {} : { github_stars: githubStars }),
  };
  return {
    source: listing.source,
    listedOn: listing.listedOn,
    kind: 'daily',
    section: '',
    position: listing.position,
    signals,
    observedAt: listing.now,
    paper: {
      ...record,
      sourceId: sourceId ?? paper.arxivId ?? doi ?? '',
      ...(doi ? { doi: doi.toLowerCase() } : {}),
      ...known({ publishedAt: instantOf(publishedAt) }),
    },
  };
}
