import type { Database } from '#src/database/database.ts';
import { type IsoDate, utcDate } from '#src/database/ids.ts';
import { type Coverage, coverageOf, latestSlot } from './coverage.ts';
import { countListings } from './coverage-store.ts';
import { expectedListing } from './schedule.ts';

/** What an edition is expected to be made of. */
export type ExpectedSources = {
  /** Names of listings' sources that are polled, such as `arxiv` and `huggingface`. */
  readonly sources: readonly string[];
  /** arXiv categories that are followed; they are covered one by one. */
  readonly arxivCategories: readonly string[];
};

type Deps = { readonly database: Database; readonly expected: ExpectedSources };

/**
 * The coverage of the edition of a date as of an instant: one part per arXiv category, one per other source, in the order
 * given. Only what was seen by `at` counts.
 */
export function createEditionCoverage(deps: Deps): (on: IsoDate, at: Date) => Promise<Coverage[]> {
  return async (on, at) => {
    const parts = deps.expected.sources.map((source) => sourceCoverage(deps, source, on, at));
    return (await Promise.all(parts)).flat();
  };
}

async function sourceCoverage(
  { database, expected }: Deps,
  source: string,
  on: IsoDate,
  at: Date,
): Promise<Coverage[]> {
  const categories = source === 'arxiv' ? expected.arxivCategories : [];
  const days = await countListings(database, { source, on, seenBefore: at, categories });
  const sections = categories.length > 0 ? categories : [''];
  return sections.map((section) => coverageOf(source, section, on, days, at));
}

/** How long an answer of {@link createLatestSlot} is good for. */
const FRESH_MS = 60_000;

/**
 * How far the planner may go: the newest slot that may be planned at an instant. Slots after it wait for a source whose
 * newest due list is late, at most `patienceMs`; none may while the service reads what it missed in a break of its own.
 * Asked once a minute of the clock at most.
 */
export function createLatestSlot(
  deps: Deps & { readonly patienceMs: number; readonly isCatchingUp?: (at: Date) => Promise<boolean> },
): (at: Date) => Promise<Date> {
  let known: { at: Date; coverage: readonly Coverage[] } | undefined;
  return async (at) => {
    if (await deps.isCatchingUp?.(at)) return new Date(0);
    if (deps.patienceMs === 0) return at;
    const age = known ? at.getTime() - known.at.getTime() : Number.POSITIVE_INFINITY;
    if (!known || age < 0 || age >= FRESH_MS) known = { at, coverage: await dueCoverage(deps, at) };
    return latestSlot(known.coverage, at, deps.patienceMs);
  };
}

/** Of each source the coverage of the newest list that should be there by an instant. */
export function createDueCoverage(deps: Deps): (at: Date) => Promise<Coverage[]> {
  return (at) => dueCoverage(deps, at);
}

async function dueCoverage(deps: Deps, at: Date): Promise<Coverage[]> {
  const parts = deps.expected.sources.map((source) =>
    sourceCoverage(deps, source, expectedListing(source, at) ?? utcDate(at), at),
  );
  return (await Promise.all(parts)).flat();
}
