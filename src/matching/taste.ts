import type { PaperId } from '#src/database/ids.ts';
import type { Relevance } from './relevance.ts';
import { moments } from './standard.ts';

/** Papers marked "more" (or "less") that count, newest first: older ones beyond this many don't. */
const PAPERS_COUNTED = 100;
/** Each paper marked counts this much less than the one marked after it. */
const RECENCY = 0.99;
const WEIGHTS = Array.from({ length: PAPERS_COUNTED }, (_, age) => RECENCY ** age);
/** Papers marked count `k / (k + HALF)`: three are already half of the full weight. */
const HALF = 3;
/** Deviations above the mean at which a paper is clearly like the marked ones; the deviation of a single one's relevance. */
const FULL = 4;
/** Most that likeness to a paper marked "less" takes from a score. */
const PENALTY_LIMIT = 0.8;

/** One marked paper with the factor that its relevance counts by. */
export type Marked = { readonly paper: PaperId; readonly factor: number; readonly relevance: Relevance };

/**
 * Likeness of every candidate to a set of marked papers: the sum of `factor × relevance`, at the same scale as a
 * relevance (1 = clearly alike).
 */
export type Likeness = {
  readonly scores: Float64Array;
  readonly marked: readonly Marked[];
  /** How much the marked papers should count beside what is followed, from 0 to 1. */
  readonly share: number;
};

/**
 * Combines marked papers; those that are not known (`relevanceOf` gives undefined) are left out. Undefined when none is known.
 * @param scores where the scores are written; as long as there are candidates
 */
export function likeness(
  papers: readonly PaperId[],
  scores: Float64Array,
  relevanceOf: (paper: PaperId) => Relevance | undefined,
): Likeness | undefined {
  const known = papers.slice(0, PAPERS_COUNTED).flatMap((paper) => {
    const relevance = relevanceOf(paper);
    return relevance ? [{ paper, relevance }] : [];
  });
  if (known.length === 0) return undefined;
  const raw = WEIGHTS.slice(0, known.length);
  const total = raw.reduce((sum, each) => sum + each, 0);
  const shares = raw.map((each) => each / total);
  const scale = rescale(known, shares);
  const marked = known.map((each, at) => ({ ...each, factor: (shares[at] as number) * scale }));
  return {
    scores: add(
      marked.map(({ relevance, factor }) => [relevance.scores, factor]),
      scores,
    ),
    marked,
    share: known.length / (known.length + HALF),
  };
}

/** The mean of several relevances varies less than one; this brings it back to where 1 is `FULL` deviations. */
function rescale(known: readonly { readonly relevance: Relevance }[], shares: readonly number[]): number {
  const size = known[0]?.relevance.background.length ?? 0;
  if (known.length === 1 || size < 2) return 1;
  const background = add(
    known.map(({ relevance }, at) => [relevance.background, shares[at] as number]),
    new Float64Array(size),
  );
  return toDeviations(background);
}

/** The factor that brings relevances to where 1 is {@link FULL} deviations of their background. */
export function toDeviations(background: Float32Array | Float64Array): number {
  return background.length < 2 ? 1 : 1 / Math.max(FULL * moments(background).deviation, 0.2);
}

type Part = readonly [Float32Array, number];

/** The sum of arrays times their factors, written into `sums`. Four arrays a pass, since each pass writes all sums. */
function add(parts: readonly Part[], sums: Float64Array): Float64Array {
  sums.fill(0);
  for (let next = 0; next < parts.length; next += 4) {
    const [a, p] = parts[next] as Part;
    const [b, q] = parts[next + 1] ?? [a, 0];
    const [c, r] = parts[next + 2] ?? [a, 0];
    const [d, s] = parts[next + 3] ?? [a, 0];
    for (let at = 0; at < sums.length; at += 1)
      sums[at] =
        (sums[at] as number) +
        p * (a[at] as number) +
        q * (b[at] as number) +
        (r * (c[at] as number) + s * (d[at] as number));
  }
  return sums;
}

/** What remains of a score after likeness to papers marked "less": a factor from 1 − {@link PENALTY_LIMIT} to 1. */
export function remaining(dislikes: Likeness | undefined, position: number): number {
  if (!dislikes) return 1;
  return 1 - Math.min(PENALTY_LIMIT, Math.max(0, (dislikes.scores[position] as number) * dislikes.share));
}

/** The marked paper that weighed most for a candidate. */
export function strongest({ marked }: Likeness, position: number): Marked {
  return marked.reduce((best, each) =>
    each.factor * (each.relevance.scores[position] as number) >
    best.factor * (best.relevance.scores[position] as number)
      ? each
      : best,
  );
}
