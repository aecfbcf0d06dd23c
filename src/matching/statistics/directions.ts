import type { LexicalIndex } from '../text/lexical-index.ts';
import { comparable, projectRows, unit } from './project.ts';
import type { Statistics } from './statistics.ts';

/**
 * Latent semantic directions of the texts of an index (Deerwester et al., "Indexing by latent semantic analysis",
 * 1990): texts that share no word but words that occur together are near each other.
 */
export type Directions = {
  /** Cosine of every scored text with a phrase, given as weighted terms. */
  toPhrase(terms: ReadonlyMap<number, number>): Float64Array;
  /** Cosine of every scored text with the text at a position, directions weighted by the inverse root of their strength. */
  toPaper(position: number): Float64Array;
};

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
      return products(projected, scored, unit(projectRows(phrase, basis, rank), rank));
    },
    toPaper: (position) =>
      products(compared, scored, compared.subarray(position * rank, (position + 1) * rank)),
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
