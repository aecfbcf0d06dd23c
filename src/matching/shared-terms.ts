import type { LexicalIndex } from './text/lexical-index.ts';

/** Weighted terms, in ascending order of term. */
export type Weighted = { readonly terms: Int32Array; readonly weights: Float32Array | Float64Array };

/** Terms that two texts share, with what each adds to a score. Lent out: the next call writes over it. */
export type Shared = { terms: Int32Array; weights: Float64Array };

/** What speaks most for a text: numbers of terms, strongest first, and one concept. */
export type Strongest = {
  readonly terms: readonly number[];
  /** The concept that adds most, its usual name first, and how many of the terms add as much or more. */
  readonly concept?:
    | { readonly names: readonly string[]; readonly weight: number; readonly after: number }
    | undefined;
};

/** Finds the terms of a phrase or paper that the row at a position holds. @returns how many were written into `shared` */
export function findShared(
  rows: Pick<LexicalIndex['rows'], 'starts' | 'terms'> & { readonly weights: Float32Array },
  position: number,
  wanted: Weighted,
  factor: number,
  shared: Shared,
): number {
  const { terms, weights } = rows;
  const size = wanted.terms.length;
  if (shared.terms.length < size) {
    shared.terms = new Int32Array(size);
    shared.weights = new Float64Array(size);
  }
  const end = rows.starts[position + 1] as number;
  let at = rows.starts[position] as number;
  let other = 0;
  let count = 0;
  // Both sides are sorted: one pass for a paper, a search for each of a few words.
  const few = size <= FEW_TERMS;
  while (other < size && at < end) {
    const term = wanted.terms[other] as number;
    if (few) at = lowerBound(terms, term, at, end);
    const found = at < end ? (terms[at] as number) : term + 1;
    if (found === term) {
      shared.terms[count] = term;
      shared.weights[count] = (wanted.weights[other] as number) * (weights[at] as number) * factor;
      count += 1;
    }
    // The lesser side moves on, both if equal. Signs instead of conditions: nobody can guess which it is, and a processor
    // that guesses wrong takes twice as long for all of this.
    at += (found - term - 1) >>> 31;
    other += (term - found - 1) >>> 31;
  }
  return count;
}

/** The terms of greatest weight among the first `count`, greatest first, at most `limit`; of equals the first. */
export function greatest({ terms, weights }: Shared, count: number, limit: number): number[] {
  const best: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const weight = weights[at] as number;
    if (weight <= 0) continue;
    if (best.length === limit) {
      if (weight <= (weights[best[limit - 1] as number] as number)) continue;
      best.pop();
    }
    let place = best.length;
    for (; place > 0 && (weights[best[place - 1] as number] as number) < weight; place -= 1)
      best[place] = best[place - 1] as number;
    best[place] = at;
  }
  return best.map((at) => terms[at] as number);
}

/** How many of the first `count` terms weigh as much or more. */
export function countHeavier({ weights }: Shared, count: number, weight: number): number {
  let found = 0;
  for (let at = 0; at < count; at += 1) if ((weights[at] as number) >= weight) found += 1;
  return found;
}

/** Terms that are searched for one by one in a text's row. */
const FEW_TERMS = 16;

/** The first place from `from` on where a sorted array is not below `value`; `to` when there is none. */
export function lowerBound(sorted: Int32Array, value: number, from: number, to: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
