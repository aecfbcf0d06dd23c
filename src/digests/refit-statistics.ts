import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Statistics } from '#src/matching/statistics/statistics.ts';
import type { Text } from '#src/matching/text/lexical-index.ts';
import type { StatisticsStore } from './statistics-store.ts';

/** Fits statistics on texts in order of time. */
export type Fit = (texts: readonly Text[], version: string) => Promise<Statistics>;

/** What became of a look whether statistics should be fitted anew. */
export type RefitOutcome =
  | { readonly type: 'fitted'; readonly version: string; readonly papers: number }
  | { readonly type: 'fresh' }
  /** There are not enough papers for statistics to be better than none. */
  | { readonly type: 'too-few'; readonly papers: number };

const DAY_MS = 86_400_000;
/** Statistics are fitted anew after this many days, on the papers of so many, at most so many of them. */
const REFIT_DAYS = 7;
const WINDOW_DAYS = 120;
const MOST_PAPERS = 30_000;
const LEAST_PAPERS = 500;

/** Statistics in force, and their renewal. */
export type StatisticsService = ReturnType<typeof createStatistics>;

/** Keeps the latest statistics in memory, and fits new ones when they are a week old. */
export function createStatistics(deps: {
  readonly store: StatisticsStore;
  readonly now: () => Date;
  readonly fit: Fit;
}) {
  const { store, now, fit } = deps;
  let kept: { version: string; statistics: Promise<Statistics | undefined> } | undefined;
  return {
    /** Names the latest fit; empty as long as there is none. */
    version: async (): Promise<string> => (await store.latest())?.version ?? '',

    /** The latest statistics; undefined as long as none were fitted. Read from the database once per version. */
    async current(): Promise<Statistics | undefined> {
      const latest = await store.latest();
      if (!latest) return undefined;
      if (kept?.version !== latest.version) {
        const { version } = latest;
        const statistics = store.load(version);
        kept = { version, statistics };
        statistics.catch(() => {
          if (kept?.version === version) kept = undefined;
        });
      }
      return kept.statistics;
    },

    /** Fits statistics if it is time; takes up to a minute of one core, beside the event loop. */
    async refitIfDue(): Promise<RefitOutcome> {
      const latest = await store.latest();
      if (latest && now().getTime() - latest.fittedAt.getTime() < REFIT_DAYS * DAY_MS)
        return { type: 'fresh' };
      const papers = await store.papersToFit(now(), WINDOW_DAYS, MOST_PAPERS);
      if (papers.length < LEAST_PAPERS) return { type: 'too-few', papers: papers.length };
      const at = now();
      const texts = papers.map(({ title, abstract }) => ({ title, abstract }));
      const statistics = await fit(texts, at.toISOString());
      const background = papers.slice(-statistics.background.length).map(({ id }) => id);
      await store.save(statistics, background, at);
      return { type: 'fitted', version: statistics.version, papers: papers.length };
    },
  };
}

/** Fits in a thread of its own, so that mails go on being sent meanwhile. Rejects when the thread fails. */
export const fitInThread: Fit = async (texts, version) => {
  const worker = new Worker(new URL('./fit-thread.ts', import.meta.url), { workerData: { texts, version } });
  try {
    const [statistics] = (await once(worker, 'message')) as [Statistics];
    return statistics;
  } finally {
    await worker.terminate();
  }
};
