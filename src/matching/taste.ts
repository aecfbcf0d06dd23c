import type { PaperId } from '#src/database/ids.ts';
import type { Relevance } from './relevance.ts';
import { moments } from './standard.ts';

/** Papers marked "more" (or "less") that count, newest first: older ones beyond this many don't. */
const PAPERS_COUNTED = 100;
/** Each paper marked counts this much less than the one marked after it. */
const RECENCY = 0.99;
const WEIGHTS = Array.from({ length: PAPERS_COUNTED }, (_, age) => RECENCY ** age);
/** The sum of the first so many. */
const WEIGHTS_SUMMED = WEIGHTS.reduce((sums, weight) => [...sums, (sums.at(-1) ?? 0) + weight], [0]);
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
  const counted: PaperId[] = [];
  const relevances: Relevance[] = [];
  for (let at = 0; at < papers.length && at < PAPERS_COUNTED; at += 1) {
    const relevance = relevanceOf(papers[at] as PaperId);
    if (!relevance) continue;
    counted.push(papers[at] as PaperId);
    relevances.push(relevance);
  }
  const count = counted.length;
  if (count === 0) return undefined;
  const total = WEIGHTS_SUMMED[count] as number;
  const shares = relevances.map((_, at) => (WEIGHTS[at] as number) / total);
  const scale = rescale(relevances, shares);
  const factors = shares.map((share) => share * scale);
  addUp(
    relevances.map((relevance) => relevance.scores),
    factors,
    scores,
  );
  const marked = relevances.map((relevance, at) => ({
    paper: counted[at] as PaperId,
    factor: factors[at] as number,
    relevance,
  }));
  return { scores, marked, share: count / (count + HALF) };
}

/** Lent to one sum over a background at a time. */
let sums = new Float64Array(0);

/** The mean of several relevances varies less than one; this brings it back to where 1 is `FULL` deviations. */
function rescale(relevances: readonly Relevance[], shares: readonly number[]): number {
  const size = relevances[0]?.background.length ?? 0;
  if (relevances.length === 1 || size < 2) return 1;
  if (sums.length !== size) sums = new Float64Array(size);
  const backgrounds = relevances.map(({ background }) => background);
  return toDeviations(addUp(backgrounds, shares, sums));
}

/** The factor that brings relevances to where 1 is {@link FULL} deviations of their background. */
export function toDeviations(background: Float32Array | Float64Array): number {
  return background.length < 2 ? 1 : 1 / Math.max(FULL * moments(background).deviation, 0.2);
}

/** The sum of arrays times their factors, written into `sums`. Four arrays a pass, since each pass writes all sums. */
function addUp(
  arrays: readonly Float32Array[],
  factors: readonly number[],
  sums: Float64Array,
): Float64Array {
  sums.fill(0);
  let next = 0;
  for (; next + 4 <= arrays.length; next += 4) {
    const [a, b, c, d] = arrays.slice(next, next + 4) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const [p, q, r, s] = factors.slice(next, next + 4) as [number, number, number, number];
    for (let at = 0; at < sums.length; at += 1)
      sums[at] =
        (sums[at] as number) +
        p * (a[at] as number) +
        q * (b[at] as number) +
        (r * (c[at] as number) + s * (d[at] as number));
  }
  for (; next < arrays.length; next += 1) {
    const [a, p] = [arrays[next] as Float32Array, factors[next] as number];
    for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] as number) + p * (a[at] as number);
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
  let best = marked[0] as Marked;
  let most = Number.NEGATIVE_INFINITY;
  for (const each of marked) {
    const weight = each.factor * (each.relevance.scores[position] as number);
    if (weight > most) [best, most] = [each, weight];
  }
  return best;
}
