import { createKernels, NUMBER, padded } from './kernels.ts';

/** A unit vector in whole numbers of 16 bits, an even number of them: each is rounded to {@link ONE}ths. */
export type FixedVector = Int16Array;

/** Unit vectors of equal length in a memory where they can be multiplied. */
export type Matrix = {
  /** Writes a row; all are zeros at first. */
  write(row: number, vector: Float32Array): void;
  /** A row as it is kept, valid as long as it is not written again. */
  row(row: number): FixedVector;
  /**
   * Products of the first `rows` rows with vectors, off by some 0.00001: about 16 µs a vector for 3,000 rows of 256 numbers where many
   * vectors are given at once, a fortieth of what a loop takes. They are sums of whole numbers: the same whatever stands beside them.
   * @returns for each vector its products, by row
   */
  products(rows: number, vectors: readonly FixedVector[]): Float32Array[];
};

/** What stands for 1. Products of unit vectors stay below 2^31 whatever their length. */
const ONE = 2 ** 15 - 1;
/** Vectors that are multiplied side by side. */
const WIDTH = 8;
/** Vectors that there is room for: eight times as many as stand side by side. */
const ROOM = 8 * WIDTH;
/** Rows that are multiplied at a time. */
const HEIGHT = 4;
/** Bytes of the matrix that are looked at together: they stay in the processor's cache. */
const CHUNK_BYTES = 2 ** 18;

/** Two numbers of 16 bits, multiplied at once: they take as much room as one of 32. */
const PAIR = NUMBER;
const pairsOf = (length: number): number => Math.ceil(length / 2);

/** Rounds a vector of length 1 at most. */
export function toFixed(vector: Float32Array): FixedVector {
  const fixed = new Int16Array(2 * pairsOf(vector.length));
  for (let at = 0; at < vector.length; at += 1) fixed[at] = Math.round((vector[at] as number) * ONE);
  return fixed;
}

/** The product of two vectors, as {@link Matrix} gives it. */
export function product(one: FixedVector, other: FixedVector): number {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += (one[at] as number) * (other[at] as number);
  return sum / ONE ** 2;
}

/** Makes a matrix of `size` rows, the first `multiplied` of which may be multiplied. */
export function createMatrix(size: number, length: number, multiplied: number = size): Matrix {
  const pairs = pairsOf(length);
  const bytes = pairs * PAIR;
  const stride = padded(Math.ceil(multiplied / HEIGHT) * HEIGHT);
  // Behind the rows are zeros for the last ones to be multiplied with, then the vectors, then what comes of them.
  const vectorsAt = padded((size + HEIGHT) * pairs);
  const productsAt = vectorsAt + ROOM * padded(pairs);
  const { buffer, kernels } = createKernels(productsAt + ROOM * stride);
  const chunk = HEIGHT * Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, bytes) / HEIGHT));

  const multiply = (rows: number, vectors: readonly FixedVector[]): Float32Array[] => {
    const groups = Math.ceil(vectors.length / WIDTH);
    const sides = new Int32Array(buffer, vectorsAt, groups * WIDTH * pairs).fill(0);
    vectors.forEach((vector, at) => {
      const side = Math.floor(at / WIDTH) * WIDTH * pairs + (at % WIDTH);
      const numbers = new Int32Array(vector.buffer, vector.byteOffset, pairs);
      for (let k = 0; k < pairs; k += 1) sides[side + k * WIDTH] = numbers[k] as number;
    });
    for (let from = 0; from < rows; from += chunk) {
      const end = Math.min(from + chunk, rows) * bytes;
      for (let group = 0; group < groups; group += 1)
        kernels.multiply(
          from * bytes,
          end,
          bytes,
          vectorsAt + group * WIDTH * bytes,
          productsAt + group * WIDTH * stride + from * NUMBER,
          stride,
          1 / ONE ** 2,
        );
    }
    return vectors.map((_, at) => new Float32Array(buffer, productsAt + at * stride, rows).slice());
  };
  const row = (at: number): FixedVector => new Int16Array(buffer, at * bytes, 2 * pairs);
  return {
    row,
    write: (at, vector) => row(at).set(toFixed(vector)),
    products(rows, vectors) {
      if (rows > multiplied)
        throw new Error(`${rows} rows of a matrix of which ${multiplied} may be multiplied`);
      if (rows === 0 || length === 0) return vectors.map(() => new Float32Array(rows));
      const found: Float32Array[] = [];
      for (let from = 0; from < vectors.length; from += ROOM)
        found.push(...multiply(rows, vectors.slice(from, from + ROOM)));
      return found;
    },
  };
}
