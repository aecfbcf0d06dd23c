import type { Database } from '#src/database/database.ts';
import type { IsoDate } from '#src/database/ids.ts';
import type { Coverage } from './coverage.ts';
import { createEditionCoverage } from './edition-coverage.ts';
import type { IngestOptions } from './ingest.ts';
import { createNetwork } from './network.ts';
import type { PaperStore } from './paper-store.ts';
import { type PollOutcome, pollSource, sourceStatuses } from './poll.ts';
import { recordReaderVotes } from './reader-votes-store.ts';
import type { SourceStatus } from './source-health.ts';
import { createSources, type Sources } from './sources/sources.ts';

/** What the feeds of a running service need. */
export type PaperFeedsDeps = {
  readonly database: Database;
  readonly store: Pick<PaperStore, 'put' | 'withdraw'>;
  readonly now: () => Date;
  /** The sources that are polled, by the names of `createSources`. */
  readonly polled: readonly string[];
  readonly arxivCategories: readonly string[];
  /** For the User-Agent. */
  readonly contact: string | null;
  /** Folder to keep every answer of the network in, for debugging. */
  readonly keepAnswersIn?: string;
};

/** The way papers come in while the service runs: one object for the wiring. */
export type PaperFeeds = {
  /** Every source, on the network. */
  readonly sources: Sources;
  /** Polls one source and notes its health. */
  poll(name: string, options?: IngestOptions): Promise<PollOutcome>;
  /** How the polled sources are. */
  statuses(): Promise<SourceStatus[]>;
  /** What the edition of a date had of each source and category, as of an instant. */
  coverage(on: IsoDate, at: Date): Promise<Coverage[]>;
  /** Turns readers' "more" into signals; to be called every hour or so. Returns how many papers got a new total. */
  recordReaderVotes(): Promise<number>;
  /** Closes idle connections. */
  close(): Promise<void>;
};

/** Wires network, sources, health and coverage. */
export function createPaperFeeds(deps: PaperFeedsDeps): PaperFeeds {
  const { database, store, now, polled, arxivCategories } = deps;
  const network = createNetwork(deps);
  const sources = createSources({ network, arxivCategories });
  const { memory } = network;
  return {
    sources,
    poll: (name, options) => pollSource({ sources, store, memory, now }, name, options),
    statuses: () => sourceStatuses({ memory, now }, polled),
    coverage: createEditionCoverage({ database, expected: { sources: polled, arxivCategories } }),
    recordReaderVotes: () => recordReaderVotes(database, now()),
    close: () => network.close(),
  };
}
