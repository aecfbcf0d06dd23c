import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { addDays, utcDate } from './database/ids.ts';
import { createCandidates, remembered } from './digests/candidates.ts';
import type { createEditionStore } from './digests/edition-store.ts';
import { createEmbeddingStore } from './digests/embeddings/embedding-store.ts';
import { createEmbeddings, type EmbeddingsService } from './digests/embeddings/embeddings.ts';
import type { StatisticsService } from './digests/refit-statistics.ts';
import { indexInSteps } from './matching/index-candidates.ts';
import { inSlices } from './matching/steps.ts';
import type { MatchingPaper } from './matching/types.ts';
import type { createEditionCoverage } from './papers/edition-coverage.ts';
import type { Paper } from './papers/paper.ts';
import type { PaperStore } from './papers/paper-store.ts';
import type { SourceMemory } from './papers/source.ts';
import { trend } from './papers/trend.ts';
import { markedPapers } from './subscribers/feedback-store.ts';
import { rankedTextOf } from './topics/query/parse.ts';
import type { TopicStore } from './topics/topic-store.ts';

/** What these services stand on. */
type On = { readonly config: Config; readonly database: Database; readonly now: () => Date };

/** The index of an edition: candidates with their trend, and the papers that readers marked as context. */
export function wireCandidates(
  { config, database, now }: On,
  stores: {
    papers: PaperStore;
    topics: TopicStore;
    editions: ReturnType<typeof createEditionStore>;
    statistics: StatisticsService;
    editionCoverage: ReturnType<typeof createEditionCoverage>;
    embeddings: EmbeddingsService | undefined;
  },
) {
  const withTrend = async (found: readonly Paper[], at: Date): Promise<MatchingPaper[]> => {
    const signals = await stores.papers.signalsOf(
      found.map((paper) => paper.id),
      at,
    );
    const names = await stores.papers.otherNamesOf(found.map((paper) => paper.id));
    return found.map((paper) => ({
      ...toMatching(paper, trend(signals.get(paper.id) ?? [], paper, at)),
      names: names.get(paper.id) ?? [],
    }));
  };
  return createCandidates({
    editions: stores.editions,
    coverageOf: stores.editionCoverage,
    version: async () => {
      const { papers, statistics, embeddings } = stores;
      return [await papers.version(), await statistics.version(), await embeddings?.version()].join(' ');
    },
    candidatesOf: async (on, at) => {
      // An evening in America is tomorrow in UTC: what is listed there already is news to its readers too.
      const until = on > utcDate(at) ? on : utcDate(at);
      const request = { on: until, windowDays: config.digests.candidateDays, seenBefore: at };
      const listed = await stores.papers.candidatePapers(request);
      return withTrend(remembered(listed, utcDate(at), config.digests.ledgerDays), at);
    },
    index: async (candidates) => {
      const catalogue = await stores.topics.catalogue();
      const marked = await stores.papers.papersByIds(await markedPapers(database));
      const context = await withTrend(marked, now());
      const statistics = await stores.statistics.current();
      const texts = [...candidates, ...context, ...(statistics?.background ?? [])];
      const embeddings = await stores.embeddings?.load(texts);
      return inSlices(indexInSteps(candidates, catalogue, context, statistics, embeddings));
    },
  });
}

/** Phrases that get vectors: most that an index holds in memory. */
const PHRASES_LIMIT = 20_000;

/** The vectors of what editions are ranked with, where there is an endpoint for them. */
export function wireEmbeddings(
  { config, database, now }: On,
  stores: { papers: PaperStore; topics: TopicStore; statistics: StatisticsService; memory: SourceMemory },
): EmbeddingsService | undefined {
  if (!config.embeddings) return undefined;
  return createEmbeddings({
    store: createEmbeddingStore({ database }),
    memory: stores.memory,
    settings: config.embeddings,
    now,
    papers: async () => {
      // From the edition of the westernmost reader to that of the easternmost.
      const request = { on: addDays(utcDate(now()), 1), windowDays: config.digests.candidateDays + 2 };
      const candidates = await stores.papers.candidatePapers({ ...request, seenBefore: now() });
      const marked = await stores.papers.papersByIds(await markedPapers(database));
      const background = (await stores.statistics.current())?.background ?? [];
      return [...candidates, ...marked, ...background];
    },
    phrases: async () => {
      const queries = await stores.topics.followedQueries(PHRASES_LIMIT);
      return [...new Set(queries.map(rankedTextOf))].filter((phrase) => phrase !== '');
    },
  });
}

/** The part of a paper that matching reads. */
export function toMatching(paper: Paper, trendNow: number): MatchingPaper {
  return {
    id: paper.id,
    identity: paper.identity,
    title: paper.title,
    abstract: paper.abstract,
    authors: paper.authors,
    categories: paper.categories,
    organisation: paper.organisation,
    keywords: paper.keywords,
    listedOn: paper.firstListedOn,
    trend: trendNow,
  };
}
