import { addDays, type IsoDate, type PaperId } from '#src/database/ids.ts';
import type { CandidateIndex, MatchingPaper } from '#src/matching/types.ts';
import type { Coverage } from '#src/papers/coverage.ts';
import type { EditionStore } from './edition-store.ts';

/** The candidates of one edition, ready to choose from. */
export type EditionIndex = {
  readonly index: CandidateIndex;
  readonly ids: readonly PaperId[];
  /** The same as a set. */
  readonly among: ReadonlySet<PaperId>;
  /** No reader got any of the candidates in an edition before this one. */
  readonly since: IsoDate;
};

type Deps = {
  readonly editions: Pick<EditionStore, 'refresh'>;
  /** Papers listed in the days up to `on`, as known at `at`, with their trend then. */
  readonly candidatesOf: (on: IsoDate, at: Date) => Promise<readonly MatchingPaper[]>;
  /** What the sources of that date had brought by `at`. */
  readonly coverageOf: (on: IsoDate, at: Date) => Promise<readonly Coverage[]>;
  /** Changes whenever papers, listings or signals do, or what they are ranked with; equal versions mean equal indexes. */
  readonly version: () => Promise<string>;
  readonly index: (papers: readonly MatchingPaper[]) => Promise<CandidateIndex>;
};

const KEPT = 4;

/**
 * Gives the index of an edition, built once per version and kept for the readers that follow.
 * An index of some thousand papers takes seconds to build and serves all readers of a date.
 */
export function createCandidates(deps: Deps): (on: IsoDate, at: Date) => Promise<EditionIndex> {
  const kept = new Map<string, Promise<EditionIndex>>();

  async function build(on: IsoDate, at: Date): Promise<EditionIndex> {
    const found = await deps.candidatesOf(on, at);
    const ids = found.map((paper) => paper.id).sort((a, b) => a - b);
    const coverage = await deps.coverageOf(on, at);
    const inForce = new Set(await deps.editions.refresh(on, { candidates: ids, coverage }, at));
    const papers = found.filter((paper) => inForce.has(paper.id));
    const first = papers.reduce(
      (earliest, { listedOn }) => (listedOn !== null && listedOn < earliest ? listedOn : earliest),
      on,
    );
    // West of Greenwich a paper can go out on the local evening before the (UTC) day it was listed on.
    const since = addDays(first, -1);
    const own = papers.map((paper) => paper.id);
    return { index: await deps.index(papers), ids: own, among: new Set(own), since };
  }

  return async (on, at) => {
    const key = `${on} ${await deps.version()}`;
    const known = kept.get(key);
    if (known) return known;
    const building = build(on, at);
    kept.set(key, building);
    building.catch(() => kept.delete(key));
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
    return building;
  };
}

/**
 * Candidates without those that were first listed before the ledger's memory of `days` days begins: of such a paper that
 * is listed once more nobody knows any more who had it.
 */
export function remembered<Listed extends { readonly firstListedOn: IsoDate | null }>(
  listed: readonly Listed[],
  on: IsoDate,
  days: number,
): Listed[] {
  // (West of Greenwich it may have been mailed on the day before that of its listing.)
  const since = addDays(on, 2 - days);
  return listed.filter(({ firstListedOn }) => firstListedOn === null || firstListedOn >= since);
}
