import type { PaperId } from '#src/database/ids.ts';
import type { Relevance } from './relevance.ts';

/** Papers marked "more" (or "less") that count, newest first: older ones beyond this many don't. */
const PAPERS_COUNTED = 100;
/** Each paper marked counts this much less than the one marked after it. */
const RECENCY = 0.98;
/** Papers marked "more" count `k / (k + HALF)`: three are already half of the full weight. */
const HALF = 2.5;
/** Most that likeness to a paper marked "less" takes from a score. */
const PENALTY_LIMIT = 0.8;

/** One marked paper with its share; the shares of a profile add up to 1. */
export type Marked = { readonly paper: PaperId; readonly share: number; readonly relevance: Relevance };

/** Likeness of every candidate to a set of marked papers: a sum of `share × relevance`. */
export type Likeness = { readonly scores: Float64Array; readonly marked: readonly Marked[] };

/** Combines marked papers; those that are not known (`relevanceOf` gives undefined) are left out. Undefined when none is known. */
export function likeness(
  papers: readonly PaperId[],
  candidates: number,
  relevanceOf: (paper: PaperId) => Relevance | undefined,
): Likeness | undefined {
  const known = papers.slice(0, PAPERS_COUNTED).flatMap((paper) => {
    const relevance = relevanceOf(paper);
    return relevance ? [{ paper, relevance }] : [];
  });
  if (known.length === 0) return undefined;
  const raw = known.map((_, age) => RECENCY ** age);
  const sum = raw.reduce((total, each) => total + each, 0);
  const strength = known.length / (known.length + HALF) / sum;
  const marked = known.map((each, age) => ({ ...each, share: (raw[age] as number) * strength }));
  const scores = new Float64Array(candidates);
  for (const { share, relevance } of marked)
    for (let at = 0; at < candidates; at += 1)
      scores[at] = (scores[at] as number) + share * (relevance.scores[at] as number);
  return { scores, marked };
}

/** What remains of a score after likeness to papers marked "less": a factor from 1 − {@link PENALTY_LIMIT} to 1. */
export function remaining(dislikes: Likeness | undefined, position: number): number {
  if (!dislikes) return 1;
  return 1 - Math.min(PENALTY_LIMIT, Math.max(0, dislikes.scores[position] as number));
}

/** The marked paper that weighed most for a candidate. */
export function strongest({ marked }: Likeness, position: number): Marked {
  return marked.reduce((best, each) =>
    each.share * (each.relevance.scores[position] as number) >
    best.share * (best.relevance.scores[position] as number)
      ? each
      : best,
  );
}
