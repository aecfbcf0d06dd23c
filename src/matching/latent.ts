/**
 * Texts as points where nearness is nearness in meaning, whatever the words: latent semantic analysis
 * (statistics/directions.ts), or the vectors of an embeddings model (embeddings.ts). Positions are those of a collection's index.
 */
export type LatentSpace = {
  /** With a phrase; undefined where nothing is known of its meaning. */
  toPhrase(phrase: LatentPhrase): Cosines | undefined;
  /** With the text at a position; undefined as above. */
  toPaper(position: number): Cosines | undefined;
};

/** A phrase as it was written, and as weighted terms of the index. */
export type LatentPhrase = { readonly text: string; readonly terms: ReadonlyMap<number, number> };

/** Cosines of texts with something: of every scored one, and of a single one (which keeps nothing large alive). */
export type Cosines = { readonly all: Float64Array; readonly one: (position: number) => number };

/** Cosines of unit vectors, one after the other in `vectors`, with a unit vector: of the first `scored`. */
export const cosines = (vectors: Float32Array, scored: number, wanted: Float32Array): Cosines => ({
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
