import type { PaperId } from '#src/database/ids.ts';
import { type Agreement, addedTo, agreement } from './category-agreement.ts';
import type { Relevance } from './relevance-parts.ts';
import type { WeightedSums } from './weighted-sums.ts';

/** Papers marked "more" (or "less") that count, newest first: older ones beyond this many don't. */
const PAPERS_COUNTED = 100;
/** Each paper marked counts this much less than the one marked after it. */
const RECENCY = 0.99;
const WEIGHTS = Array.from({ length: PAPERS_COUNTED }, (_, age) => RECENCY ** age);
/** The sum of the first so many. */
const WEIGHTS_SUMMED = WEIGHTS.reduce((sums, weight) => [...sums, (sums.at(-1) ?? 0) + weight], [0]);
/** What a phrase counts, in papers marked, and what the first of these counts beside itself: it says most that is new. */
const PHRASE = 10 / 3;
const FIRST = 2 / 3;
/** Deviations above the mean at which a paper is clearly like the marked ones; the deviation of a single one's relevance. */
const FULL = 4;
/** Most that likeness to a paper marked "less" takes from a score. */
const PENALTY_LIMIT = 0.8;

/** One marked paper with the factor that its relevance counts by. */
export type Marked = { readonly paper: PaperId; readonly factor: number; readonly relevance: Relevance };

/**
 * Likeness of every candidate to a set of marked papers: the sum of `factor × relevance`, in which their categories count by how
 * much the papers agree in them, at the same scale as a relevance (1 = clearly alike).
 */
export type Likeness = {
  readonly scores: Float32Array;
  readonly marked: readonly Marked[];
  /** How many times categories count in each of them. */
  readonly categoriesTimes: number;
  /** How much the marked papers should count beside what is followed, from 0 to 1. */
  readonly share: number;
};

/** Where likeness is reckoned, one reader at a time. */
export type TasteDesk = {
  readonly sums: WeightedSums;
  /** Lent by `sums`. */
  readonly background: Float32Array;
  /** Where the background begins among what gets scores. */
  readonly backgroundStart: number;
};

/**
 * Combines marked papers; those that are not known (`relevanceOf` gives undefined) are left out. Undefined when none is known.
 * @param scores where the scores are written: lent by the desk's sums
 */
export function likeness(
  papers: readonly PaperId[],
  desk: TasteDesk,
  scores: Float32Array,
  relevanceOf: (paper: PaperId) => Relevance | undefined,
): Likeness | undefined {
  const known = knownOf(papers, relevanceOf);
  const count = known.length;
  if (count === 0) return undefined;
  const relevances = known.map(({ relevance }) => relevance);
  const total = WEIGHTS_SUMMED[count] as number;
  const shares = relevances.map((_, at) => (WEIGHTS[at] as number) / total);
  const agreed = agreement(
    relevances.map(({ listed }) => listed),
    shares,
  );
  const scale = rescale(desk, relevances, shares, agreed);
  const factors = shares.map((share) => share * scale);
  const likenesses = desk.sums.addUp(
    relevances.map((relevance) => relevance.scores),
    factors,
    scores,
  );
  agreed?.addTo(likenesses, 0, scale);
  return {
    scores: likenesses,
    marked: known.map(({ paper, relevance }, at) => ({ paper, relevance, factor: factors[at] as number })),
    categoriesTimes: agreed?.times ?? 1,
    share: (count + FIRST) / (count + FIRST + PHRASE),
  };
}

/** The marked papers that count and are known, in their order. */
function knownOf(
  papers: readonly PaperId[],
  relevanceOf: (paper: PaperId) => Relevance | undefined,
): Omit<Marked, 'factor'>[] {
  const known: Omit<Marked, 'factor'>[] = [];
  for (let at = 0; at < papers.length && at < PAPERS_COUNTED; at += 1) {
    const paper = papers[at] as PaperId;
    const relevance = relevanceOf(paper);
    if (relevance) known.push({ paper, relevance });
  }
  return known;
}

/** The mean of several relevances varies less than one; this brings it back to where 1 is `FULL` deviations. */
function rescale(
  desk: TasteDesk,
  relevances: readonly Relevance[],
  shares: readonly number[],
  agreed: Agreement | undefined,
): number {
  if (relevances.length === 1) return 1;
  const backgrounds = relevances.map(({ background }) => background);
  const sum = desk.sums.addUp(backgrounds, shares, desk.background);
  agreed?.addTo(sum, desk.backgroundStart, 1);
  return toDeviations(sum, desk.sums);
}

/** The factor that brings relevances to where 1 is {@link FULL} deviations of their background. */
export function toDeviations(background: Float32Array, sums: WeightedSums): number {
  return background.length < 2 ? 1 : 1 / Math.max(FULL * sums.moments(background).deviation, 0.2);
}

/** What remains of a score after likeness to papers marked "less": a factor from 1 − {@link PENALTY_LIMIT} to 1. */
export function remaining(dislikes: Likeness | undefined, position: number): number {
  if (!dislikes) return 1;
  return 1 - Math.min(PENALTY_LIMIT, Math.max(0, (dislikes.scores[position] as number) * dislikes.share));
}

/** The marked paper that weighed most for a candidate. */
export function strongest({ marked, categoriesTimes }: Likeness, position: number): Marked {
  let best = marked[0] as Marked;
  let most = Number.NEGATIVE_INFINITY;
  for (const each of marked) {
    const { scores, listed } = each.relevance;
    const more = listed ? (categoriesTimes - 1) * addedTo(listed, position) : 0;
    const weight = each.factor * ((scores[position] as number) + more);
    if (weight > most) [best, most] = [each, weight];
  }
  return best;
}
