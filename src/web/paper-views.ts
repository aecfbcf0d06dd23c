import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate, PaperId } from '#src/database/ids.ts';
import { createTopicMatcher } from '#src/matching/catalogue-match.ts';
import { readPaper } from '#src/matching/text/phrase-finder.ts';
import type { ListingKind, Paper } from '#src/papers/paper.ts';
import type { PaperStore } from '#src/papers/paper-store.ts';
import { type Signal, trend } from '#src/papers/trend.ts';
import type { Query } from '#src/topics/query/query.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { ListedPaper } from './dependencies.ts';
import { createSearchStore, type Found } from './search-store.ts';

/** A paper with all that its page shows. */
export type PaperDetail = {
  readonly paper: ListedPaper;
  /** The newest arXiv version seen, and the authors' comment. */
  readonly version: number | null;
  readonly comment: string | null;
  /** Newest first. */
  readonly listings: readonly {
    readonly source: string;
    readonly listedOn: IsoDate;
    readonly kind: ListingKind;
    readonly section: string;
  }[];
  /** Totals seen, oldest first. */
  readonly signals: readonly Signal[];
  readonly similar: readonly ListedPaper[];
};

/** Papers for the pages of papers, topics and searches. */
export type PaperViews = ReturnType<typeof createPaperViews>;

/** What the views of papers read from. */
export type PaperViewsDependencies = {
  readonly database: Database;
  readonly papers: Pick<PaperStore, 'papersByIds' | 'paperByIdentifier' | 'signalsOf'>;
  readonly now: () => Date;
};

const SIMILAR = 6;

/** Reads papers, topics and searches for the pages. */
export function createPaperViews(deps: PaperViewsDependencies) {
  const store = createSearchStore(deps);
  const listed = (ids: readonly PaperId[]) => withTrend(deps, ids);

  return {
    /** A paper by any identifier it goes by (`arxiv:2606.01234`), or null. */
    async paper(identifier: string): Promise<PaperDetail | null> {
      const found = await deps.papers.paperByIdentifier(identifier);
      return found ? detailOf(deps, found, await store.similar(found.id, SIMILAR)) : null;
    },
    /** The identity of the paper that goes by an identifier, or null. */
    identityOf: async (identifier: string): Promise<string | null> =>
      (await deps.papers.paperByIdentifier(identifier))?.identity ?? null,
    /** The identity of the paper with this row id, or null. */
    identity: async (id: PaperId): Promise<string | null> =>
      (await deps.papers.papersByIds([id]))[0]?.identity ?? null,

    /** Papers that fit a query, best first: by how well the words fit, in tenths, then by trend. */
    async search(query: Query, page: { offset: number; limit: number }) {
      const found = await store.search(query);
      const papers = rankThenTrend(found, await listed(found.map(({ id }) => id)));
      return { papers: papers.slice(page.offset, page.offset + page.limit), total: found.length };
    },
    /** The newest papers of a catalogue topic, day by day, the best trend of a day first. */
    async ofTopic(topic: CatalogueTopic, limit: number): Promise<ListedPaper[]> {
      const papers = await listed((await store.topicCandidates(topic)).map(({ id }) => id));
      const match = createTopicMatcher([topic]);
      return byDay(papers.filter((paper) => match(readPaper(paper)).has(topic.slug))).slice(0, limit);
    },
    /** The newest papers of an arXiv category or archive. */
    ofCategory: async (pattern: string, limit: number): Promise<ListedPaper[]> =>
      byDay(await listed((await store.inCategory(pattern)).slice(0, limit).map(({ id }) => id))),
    /** Papers by id, in the order asked for. */
    byIds: async (ids: readonly PaperId[]): Promise<ListedPaper[]> => {
      const found = new Map((await listed(ids)).map((paper) => [paper.id, paper]));
      return ids.flatMap((id) => found.get(id) ?? []);
    },
  };
}

async function withTrend(deps: PaperViewsDependencies, ids: readonly PaperId[]): Promise<ListedPaper[]> {
  if (ids.length === 0) return [];
  const at = deps.now();
  const [papers, signals] = await Promise.all([deps.papers.papersByIds(ids), deps.papers.signalsOf(ids, at)]);
  return papers.map((paper) => ({ ...paper, trend: trend(signals.get(paper.id) ?? [], paper, at) }));
}

function rankThenTrend(found: readonly Found[], papers: readonly ListedPaper[]): ListedPaper[] {
  const best = Math.max(...found.map(({ rank }) => rank), Number.MIN_VALUE);
  const tenth = new Map(found.map(({ id, rank }) => [id, Math.round((rank / best) * 10)]));
  return papers.toSorted(
    (a, b) => (tenth.get(b.id) ?? 0) - (tenth.get(a.id) ?? 0) || b.trend - a.trend || b.id - a.id,
  );
}

const byDay = (papers: readonly ListedPaper[]): ListedPaper[] =>
  papers.toSorted(
    (a, b) =>
      (b.firstListedOn ?? '').localeCompare(a.firstListedOn ?? '') || b.trend - a.trend || b.id - a.id,
  );

async function detailOf(
  deps: PaperViewsDependencies,
  paper: Paper,
  similar: readonly PaperId[],
): Promise<PaperDetail> {
  const at = deps.now();
  const [signals, listings, row, others] = await Promise.all([
    deps.papers.signalsOf([paper.id], at),
    listingsOf(deps.database, paper.id),
    deps.database
      .selectFrom('papers')
      .select(['version', 'comment'])
      .where('id', '=', paper.id)
      .executeTakeFirst(),
    withTrend(deps, similar),
  ]);
  const own = signals.get(paper.id) ?? [];
  const order = new Map(similar.map((id, i) => [id, i]));
  return {
    paper: { ...paper, trend: trend(own, paper, at) },
    version: row?.version ?? null,
    comment: row?.comment ?? null,
    listings,
    signals: own,
    similar: others.toSorted((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0)),
  };
}

async function listingsOf(database: Database, id: PaperId): Promise<PaperDetail['listings']> {
  const { rows } = await sql<PaperDetail['listings'][number]>`
    select source, listed_on as "listedOn", kind, section from listings
    where paper_id = ${id} order by listed_on desc, id desc limit 50`.execute(database);
  return rows;
}
