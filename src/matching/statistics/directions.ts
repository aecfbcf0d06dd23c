import type { LexicalIndex } from '../text/lexical-index.ts';
import { comparable, projectRows, unit } from './project.ts';
import type { Statistics } from './statistics.ts';

/**
 * Latent semantic directions of the texts of an index (Deerwester et al., "Indexing by latent semantic analysis",
 * 1990): texts that share no word but words that occur together are near each other.
 */
export type Directions = {
  /** With a phrase, given as weighted terms. */
  toPhrase(terms: ReadonlyMap<number, number>): Cosines;
  /** With the text at a position, directions weighted by the inverse root of their strength. */
  toPaper(position: number): Cosines;
};

/** Cosines of texts with something: of every scored one, and of a single one (which keeps nothing large alive). */
export type Cosines = { readonly all: Float64Array; readonly one: (position: number) => number };

/** Folds the texts of an index into fitted directions; undefined where none were fitted. */
export function foldIn(
  index: LexicalIndex,
  { rank, basis, scale, mean }: Statistics,
  scored: number,
): Directions | undefined {
  if (rank === 0) return undefined;
  const { starts, terms, unit: values } = index.rows;
  const rows = index.documents.length;
  const projected = projectRows({ rows, starts, indices: terms, values }, basis, rank);
  const compared = comparable(projected, scale, mean);
  unit(projected, rank);
  return {
    toPhrase(weights) {
      const indices = Int32Array.from(weights.keys());
      const phrase = {
        rows: 1,
        starts: Int32Array.of(0, indices.length),
        indices,
        values: Float32Array.from(weights.values()),
      };
      return cosines(projected, scored, unit(projectRows(phrase, basis, rank), rank));
    },
    toPaper: (position) =>
      cosines(compared, scored, compared.subarray(position * rank, (position + 1) * rank)),
  };
}

const cosines = (vectors: Float32Array, scored: number, wanted: Float32Array): Cosines => ({
  all: products(vectors, scored, wanted),
  one: cosineOf(vectors, wanted),
});

function cosineOf(vectors: Float32Array, wanted: Float32Array): (position: number) => number {
  return (position) => {
    let sum = 0;
    for (let k = 0; k < wanted.length; k += 1)
      sum += (vectors[position * wanted.length + k] as number) * (wanted[k] as number);
    return sum;
  };
}

function products(vectors: Float32Array, scored: number, wanted: Float32Array): Float64Array {
  const rank = wanted.length;
  const result = new Float64Array(scored);
  for (let row = 0; row < scored; row += 1) {
    const start = row * rank;
    // Four sums side by side: one alone would wait for each addition to end (twice as slow).
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let k = 0;
    for (; k + 3 < rank; k += 4) {
      a += (vectors[start + k] as number) * (wanted[k] as number);
      b += (vectors[start + k + 1] as number) * (wanted[k + 1] as number);
      c += (vectors[start + k + 2] as number) * (wanted[k + 2] as number);
      d += (vectors[start + k + 3] as number) * (wanted[k + 3] as number);
    }
    for (; k < rank; k += 1) a += (vectors[start + k] as number) * (wanted[k] as number);
    result[row] = a + b + c + d;
  }
  return result;
}
