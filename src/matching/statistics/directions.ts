import { cosines, type LatentSpace } from '../latent.ts';
import { createMatrix, type FixedVector, toFixed } from '../products.ts';
import type { Steps } from '../steps.ts';
import type { LexicalIndex } from '../text/lexical-index.ts';
import { comparable, projectRows, unit } from './project.ts';
import type { Statistics } from './statistics.ts';

/** For phrases, the direction of this rank counts half as much as the first. */
const HALF_RANK = 96;
/** Texts folded in as one step. */
const STEP = 16;

/**
 * Folds the texts of an index into fitted directions of latent semantic analysis (Deerwester et al., "Indexing by
 * latent semantic analysis", 1990): texts that share no word but words that occur together are near each other.
 * Papers are compared with papers by directions weighted by the inverse root of their strength; with phrases, which are
 * a few broad words, by directions that count less and less ({@link HALF_RANK}). Undefined where no
 * directions were fitted.
 */
export function* foldIn(
  index: LexicalIndex,
  { rank, basis, scale, mean }: Statistics,
  scored: number,
): Steps<LatentSpace | undefined> {
  if (rank === 0) return undefined;
  const { starts, terms, unit: values } = index.rows;
  const texts = starts.length - 1;
  // Phrases are compared with what gets scores alone.
  const projected = createMatrix(scored, rank);
  const compared = createMatrix(texts, rank, scored);
  for (let from = 0; from < texts; from += STEP) {
    yield;
    const rows = Math.min(STEP, texts - from);
    const part = { rows, starts: starts.subarray(from, from + rows + 1), indices: terms, values };
    const vectors = projectRows(part, basis, rank);
    const near = comparable(vectors, scale, mean);
    const broad = broaden(vectors, rank);
    for (let row = 0; row < rows; row += 1) {
      const [start, end] = [row * rank, (row + 1) * rank];
      compared.write(from + row, near.subarray(start, end));
      if (from + row < scored) projected.write(from + row, broad.subarray(start, end));
    }
  }
  const vectorOf = (weights: ReadonlyMap<number, number>): FixedVector => {
    const indices = Int32Array.from(weights.keys());
    const phrase = {
      rows: 1,
      starts: Int32Array.of(0, indices.length),
      indices,
      values: Float32Array.from(weights.values()),
    };
    return toFixed(broaden(projectRows(phrase, basis, rank), rank));
  };
  return {
    toPhrases: (phrases) =>
      cosines(
        projected,
        scored,
        phrases.map((phrase) => vectorOf(phrase.terms)),
      ),
    toPapers: (positions) => cosines(compared, scored, positions.map(compared.row)),
  };
}

/** Vectors with the fine directions damped, at length 1; changes and returns what it is given. */
function broaden(vectors: Float32Array, rank: number): Float32Array {
  for (let at = 0; at < vectors.length; at += 1)
    vectors[at] = (vectors[at] as number) / (1 + (at % rank) / HALF_RANK);
  return unit(vectors, rank);
}
