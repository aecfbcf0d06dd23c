import { type FixedVector, type Matrix, product } from './products.ts';

/**
 * Texts as points where nearness is nearness in meaning, whatever the words: latent semantic analysis
 * (statistics/directions.ts), or the vectors of an embeddings model (embeddings.ts). Positions are those of a collection's index.
 */
export type LatentSpace = {
  /** With each of some phrases; undefined where nothing is known of its meaning. Many at once cost far less than one by one. */
  toPhrases(phrases: readonly LatentPhrase[]): (Cosines | undefined)[];
  /** With each of the texts at some positions; undefined as above. */
  toPapers(positions: readonly number[]): (Cosines | undefined)[];
};

/** A phrase as it was written, and as weighted terms of the index. */
export type LatentPhrase = { readonly text: string; readonly terms: ReadonlyMap<number, number> };

/** Cosines of texts with something: of every scored one, and of a single one (which keeps nothing large alive). */
export type Cosines = { readonly all: Float32Array; readonly one: (position: number) => number };

/** Cosines of the unit vectors in a matrix with unit vectors: of the first `scored`. */
export const cosines = (matrix: Matrix, scored: number, wanted: readonly FixedVector[]): Cosines[] =>
  matrix.products(scored, wanted).map((all, at) => ({
    all,
    one: (position) => product(matrix.row(position), wanted[at] as FixedVector),
  }));
