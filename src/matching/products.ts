import { createKernels, NUMBER, padded } from './kernels.ts';

/** Rows of equal length in a memory where they can be multiplied. */
export type Matrix = {
  /** Row after row; zeros at first, to be written into. */
  readonly numbers: Float32Array;
  readonly length: number;
  /**
   * Products of the first `rows` rows with vectors: about 30 µs a vector for 3,000 rows of 256 numbers where many vectors are given at
   * once, a twentieth of what a loop takes. A product depends on its row and its vector alone, to the bit.
   * @returns for each vector its products, by row
   */
  products(rows: number, vectors: readonly Float32Array[]): Float32Array[];
};

/** Vectors that are multiplied side by side. */
const WIDTH = 8;
/** Vectors that there is room for: eight times as many as stand side by side. */
const ROOM = 8 * WIDTH;
/** Rows that are multiplied at a time. */
const HEIGHT = 4;
/** Bytes of the matrix that are looked at together: they stay in the processor's cache. */
const CHUNK_BYTES = 2 ** 18;

/** Makes a matrix of `size` rows, the first `multiplied` of which may be multiplied. */
export function createMatrix(size: number, length: number, multiplied: number = size): Matrix {
  const bytes = length * NUMBER;
  const stride = padded(Math.ceil(multiplied / HEIGHT) * HEIGHT);
  // Behind the rows are zeros for the last ones to be multiplied with, then the vectors, then what comes of them.
  const vectorsAt = padded((size + HEIGHT) * length);
  const productsAt = vectorsAt + ROOM * padded(length);
  const { buffer, kernels } = createKernels(productsAt + ROOM * stride);
  const chunk = HEIGHT * Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, bytes) / HEIGHT));

  const multiply = (rows: number, vectors: readonly Float32Array[]): Float32Array[] => {
    const groups = Math.ceil(vectors.length / WIDTH);
    const sides = new Float32Array(buffer, vectorsAt, groups * WIDTH * length).fill(0);
    vectors.forEach((vector, at) => {
      const side = Math.floor(at / WIDTH) * WIDTH * length + (at % WIDTH);
      for (let k = 0; k < length; k += 1) sides[side + k * WIDTH] = vector[k] as number;
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
        );
    }
    return vectors.map((_, at) => new Float32Array(buffer, productsAt + at * stride, rows).slice());
  };
  return {
    numbers: new Float32Array(buffer, 0, size * length),
    length,
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
