import type { PaperId } from '#src/database/ids.ts';
import { normalIdentifier } from './identity.ts';
import type { ListingRecord, SourceFault, SourceItem } from './paper.ts';
import type { PaperStore } from './paper-store.ts';
import { resolveWorks, type Work } from './works.ts';

/** What an ingest did, or with `dryRun` would have read. */
export type IngestReport = {
  /** Listings read, repeats included. */
  readonly listings: number;
  /** Different papers among them. */
  readonly papers: number;
  /** What could not be read, in order; at most 1,000 are kept, `faultCount` tells how many there were. */
  readonly faults: readonly SourceFault[];
  readonly faultCount: number;
  /** Papers stored for the first time; 0 in a dry run, like the rest. */
  readonly created: number;
  /** Papers that were known before. */
  readonly known: number;
  /** Rows found to be the same work as another one, and merged into it. */
  readonly merged: number;
  /** Papers known to be withdrawn. */
  readonly withdrawn: number;
};

/** Told after every batch. */
export type IngestProgress = (so: { listings: number; faults: number }) => void;

/** The part of the store that ingest writes to. */
export type IngestStore = Pick<PaperStore, 'put' | 'withdraw'>;

/** How to ingest. */
export type IngestOptions = {
  /** Listings per transaction (default 500). */
  readonly batch?: number;
  readonly onProgress?: IngestProgress;
};

const FAULTS_KEPT = 1000;

/**
 * Reads items and stores them in batches. Every instant comes from the records, none from a clock, so that a replay
 * gives the same rows. With `store: null` (a dry run) nothing is stored and papers are counted by identity. What was stored before a failure stays: reading again is idempotent.
 * @throws what the source or the database throws
 */
export async function ingest(
  { items, store }: { readonly items: AsyncIterable<SourceItem>; readonly store: IngestStore | null },
  options: IngestOptions = {},
): Promise<IngestReport> {
  const count = store === null ? createDryCount() : createStoringCount(store);
  const faults: SourceFault[] = [];
  let faultCount = 0;
  let listings = 0;
  let batch: ListingRecord[] = [];
  const flush = async () => {
    if (batch.length > 0) await count.put(batch);
    listings += batch.length;
    batch = [];
    options.onProgress?.({ listings, faults: faultCount });
  };
  for await (const item of items) {
    switch (item.type) {
      case 'fault':
        faultCount += 1;
        if (faults.length < FAULTS_KEPT) faults.push(item.fault);
        break;
      case 'listing':
        batch.push(item.listing);
        if (batch.length >= (options.batch ?? 500)) await flush();
        break;
      case 'withdrawal':
        await flush();
        await count.withdraw(item.identifier, item.observedAt);
        break;
      case 'section':
        break;
      case 'checkpoint':
        await flush();
        if (store !== null) await item.reached();
        break;
    }
  }
  await flush();
  return { listings, faults, faultCount, ...count.total() };
}

type Total = Omit<IngestReport, 'listings' | 'faults' | 'faultCount'>;
type Count = {
  put(listings: readonly ListingRecord[]): Promise<void>;
  withdraw(identifier: string, at: Date): Promise<void>;
  total(): Total;
};

function createStoringCount(store: IngestStore): Count {
  const papers = new Set<PaperId>();
  const withdrawn = new Set<PaperId>();
  const created = new Set<PaperId>();
  let merged = 0;
  return {
    async put(listings) {
      const report = await store.put(listings);
      for (const id of report.papers) papers.add(id);
      for (const id of report.created) created.add(id);
      for (const id of report.withdrawn) withdrawn.add(id);
      for (const id of report.merged) for (const ids of [papers, withdrawn, created]) ids.delete(id);
      merged += report.merged.length;
    },
    async withdraw(identifier, at) {
      const id = await store.withdraw(normalIdentifier(identifier), at);
      if (id !== null) withdrawn.add(id);
    },
    total: () => ({
      papers: papers.size,
      created: created.size,
      known: papers.size - created.size,
      merged,
      withdrawn: withdrawn.size,
    }),
  };
}

/** Counts papers by their names, by the rules of the store and without it. */
function createDryCount(): Count {
  const { place, current } = resolveWorks([]);
  const works = new Set<Work>();
  return {
    async put(listings) {
      for (const { paper, ...listing } of listings) {
        const { title: _title, abstract: _abstract, ...rest } = paper;
        works.add(place({ ...listing, paper: { ...rest, title: '', abstract: '' } }));
      }
    },
    withdraw: async () => undefined,
    total: () => ({
      papers: new Set([...works].map(current)).size,
      created: 0,
      known: 0,
      merged: 0,
      withdrawn: 0,
    }),
  };
}
