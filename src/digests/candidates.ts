import type { IsoDate, PaperId } from '#src/database/ids.ts';
import type { CandidateIndex, MatchingPaper } from '#src/matching/types.ts';
import type { EditionStore } from './edition-store.ts';

/** The candidates of one edition, ready to choose from. */
export type EditionIndex = {
  readonly index: CandidateIndex;
  readonly ids: readonly PaperId[];
  /** The first day any candidate was listed: a reader who got one got it then or later. */
  readonly since: IsoDate;
};

type Deps = {
  readonly editions: Pick<EditionStore, 'refresh'>;
  /** Papers listed in the days up to `on`, as known at `at`, with their trend then. */
  readonly candidatesOf: (on: IsoDate, at: Date) => Promise<readonly MatchingPaper[]>;
  /** Changes whenever papers, listings or signals do; equal versions mean equal candidates. */
  readonly papersVersion: () => Promise<string>;
  readonly index: (papers: readonly MatchingPaper[]) => Promise<CandidateIndex>;
};

const KEPT = 4;

/**
 * Gives the index of an edition, built once per version of the papers and kept for the readers that follow.
 * An index of some thousand papers takes seconds to build and serves all readers of a date.
 */
export function createCandidates(deps: Deps): (on: IsoDate, at: Date) => Promise<EditionIndex> {
  const kept = new Map<string, Promise<EditionIndex>>();

  async function build(on: IsoDate, at: Date): Promise<EditionIndex> {
    const found = await deps.candidatesOf(on, at);
    const ids = found.map((paper) => paper.id).sort((a, b) => a - b);
    const inForce = new Set(await deps.editions.refresh(on, ids, at));
    const papers = found.filter((paper) => inForce.has(paper.id));
    const since = papers.reduce(
      (first, paper) => (paper.listedOn !== null && paper.listedOn < first ? paper.listedOn : first),
      on,
    );
    return { index: await deps.index(papers), ids: papers.map((paper) => paper.id), since };
  }

  return async (on, at) => {
    const key = `${on} ${await deps.papersVersion()}`;
    const known = kept.get(key);
    if (known) return known;
    const building = build(on, at);
    kept.set(key, building);
    building.catch(() => kept.delete(key));
    for (const old of [...kept.keys()].slice(0, -KEPT)) kept.delete(old);
    return building;
  };
}
