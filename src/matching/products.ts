import { createRequire } from 'node:module';

/** Vectors multiplied at a time: the width at which the library's kernel is fastest. */
const WIDTH = 8;
/** Bytes of the matrix that are looked at together: they stay in the processor's cache, and in the library's memory. */
const CHUNK_BYTES = 2 ** 20;

/** WebAssembly's memory: four times what a call holds. The library's own default is 256 MB. */
const MEMORY_BYTES = 16 * 2 ** 20;

/**
 * Products of the first `rows` rows of a matrix with vectors, by WebAssembly's SIMD (numpy-ts): about 40 µs a vector
 * for 3,000 rows of 256 numbers where many vectors are given at once, a tenth of what a loop takes. A product depends on
 * its row and its vector alone: there are always eight vectors side by side, zeros where fewer are given.
 * @param matrix row after row, each of the vectors' length
 * @returns for each vector its products, by row
 */
export function products(
  matrix: Float32Array,
  rows: number,
  vectors: readonly Float32Array[],
): Float32Array[] {
  const length = vectors[0]?.length ?? 0;
  const results = vectors.map(() => new Float32Array(rows));
  if (length === 0 || rows === 0) return results;
  const { empty, matmul } = load();
  const groups = Array.from({ length: Math.ceil(vectors.length / WIDTH) }, (_, group) => {
    const side = empty([length, WIDTH], 'float32');
    side.data.set(sideBySide(vectors.slice(group * WIDTH, (group + 1) * WIDTH), length));
    return side;
  });
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (4 * length)));
  for (let from = 0; from < rows; from += chunk) {
    const count = Math.min(chunk, rows - from);
    const part = empty([count, length], 'float32');
    part.data.set(matrix.subarray(from * length, (from + count) * length));
    groups.forEach((side, group) => {
      const product = matmul(part, side);
      spread(product.data, results.slice(group * WIDTH, (group + 1) * WIDTH), from, count);
      product.dispose();
    });
    part.dispose();
  }
  for (const side of groups) side.dispose();
  return results;
}

/** Vectors as the columns of a matrix. */
function sideBySide(vectors: readonly Float32Array[], length: number): Float32Array {
  const result = new Float32Array(length * WIDTH);
  vectors.forEach((vector, column) => {
    for (let k = 0; k < length; k += 1) result[k * WIDTH + column] = vector[k] as number;
  });
  return result;
}

/** Copies columns to where each result goes on. */
function spread(columns: Float32Array, results: readonly Float32Array[], from: number, count: number): void {
  results.forEach((result, column) => {
    for (let row = 0; row < count; row += 1) result[from + row] = columns[row * WIDTH + column] as number;
  });
}

/** What is used of numpy-ts; its own types can't be read by this compiler's module resolution. */
type Numpy = {
  empty(shape: readonly number[], type: 'float32'): Matrix;
  matmul(left: Matrix, right: Matrix): Matrix;
  readonly wasmConfig: { useRelaxedSimd: boolean };
  configureWasm(options: { readonly maxMemory: number }): void;
};
/** Numbers stand in WebAssembly's memory, row after row, until it is disposed of. */
type Matrix = { readonly data: Float32Array; dispose(): void };

let numpy: Numpy | undefined;

/**
 * Loads the library, and warms it up: call it where products will be asked for. It takes a tenth of a second and 30 MB, and
 * many processes never multiply.
 */
export function loadProducts(): void {
  products(new Float32Array(WIDTH), 1, [new Float32Array(WIDTH)]);
}

function load(): Numpy {
  if (!numpy) {
    numpy = createRequire(import.meta.url)('numpy-ts/core') as Numpy;
    // Fused multiply-add rounds otherwise: a digest must not depend on the machine that planned it.
    numpy.wasmConfig.useRelaxedSimd = false;
    numpy.configureWasm({ maxMemory: MEMORY_BYTES });
  }
  return numpy;
}
