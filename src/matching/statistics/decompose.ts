import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** A sparse matrix by rows: entries of row `r` stand at `starts[r] … starts[r + 1]`. */
export type SparseMatrix = {
  readonly rows: number;
  readonly columns: number;
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
};

/** The strongest directions of a matrix. */
export type Decomposition = {
  /** Singular values, falling; at most as many as asked for. */
  readonly singularValues: Float32Array;
  /** Right singular vectors: row `column`, `singularValues.length` numbers each. */
  readonly vectors: Float32Array;
};

/** Directions computed beyond those asked for, and passes over the matrix: what makes the random start forgotten. */
const OVERSAMPLING = 10;
const PASSES = 3;

/**
 * Randomised singular value decomposition with subspace iteration (Halko, Martinsson & Tropp, "Finding structure
 * with randomness", 2011, algorithms 4.4 and 5.1). Deterministic: the random start has a fixed seed.
 * @param onPass told after each pass which share of the work is done
 */
export function decompose(
  matrix: SparseMatrix,
  rank: number,
  onPass: (done: number) => void = () => {},
): Decomposition {
  const width = Math.max(1, Math.min(rank + OVERSAMPLING, matrix.rows, matrix.columns));
  let right = randomNumbers(matrix.columns * width);
  for (let pass = 0; pass < PASSES; pass += 1) {
    // Orthonormal on the side of the rows: papers are fewer than terms.
    const left = orthonormal(times(matrix, right, width), width);
    right = timesTransposed(matrix, left, width);
    onPass((pass + 1) / (PASSES + 1));
  }
  const { values, vectors } = eigen(gram(right, width), width);
  const kept = Math.min(rank, values.filter((value) => value > 1e-9).length);
  const singularValues = Float32Array.from(values.slice(0, kept), Math.sqrt);
  const result = rotate(right, width, vectors.slice(0, kept), (k) => 1 / (singularValues[k] as number));
  onPass(1);
  return { singularValues, vectors: result };
}

/** `matrix × dense`, dense by rows of `width`. */
function times(
  { rows, starts, indices, values }: SparseMatrix,
  dense: Float32Array,
  width: number,
): Float32Array {
  const result = new Float32Array(rows * width);
  for (let row = 0; row < rows; row += 1) {
    const to = row * width;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1) {
      const value = values[at] as number;
      const from = (indices[at] as number) * width;
      for (let k = 0; k < width; k += 1)
        result[to + k] = (result[to + k] as number) + value * (dense[from + k] as number);
    }
  }
  return result;
}

/** `matrixᵀ × dense`. */
function timesTransposed(
  { rows, columns, starts, indices, values }: SparseMatrix,
  dense: Float32Array,
  width: number,
): Float32Array {
  const result = new Float32Array(columns * width);
  for (let row = 0; row < rows; row += 1) {
    const from = row * width;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1) {
      const value = values[at] as number;
      const to = (indices[at] as number) * width;
      for (let k = 0; k < width; k += 1)
        result[to + k] = (result[to + k] as number) + value * (dense[from + k] as number);
    }
  }
  return result;
}

/** An orthonormal basis of the same space: `dense × U × Λ^(−1/2)`, with UΛUᵀ = denseᵀ dense. */
function orthonormal(dense: Float32Array, width: number): Float32Array {
  const { values, vectors } = eigen(gram(dense, width), width);
  const largest = values[0] ?? 1;
  // A direction that is lost in rounding is dropped to zero rather than blown up to noise.
  const factor = (k: number): number => {
    const value = values[k] as number;
    return value > largest * 1e-10 ? 1 / Math.sqrt(value) : 0;
  };
  return rotate(dense, width, vectors, factor);
}

function gram(dense: Float32Array, width: number): Float64Array {
  const result = new Float64Array(width * width);
  for (let row = 0; row < dense.length; row += width)
    for (let i = 0; i < width; i += 1) {
      const left = dense[row + i] as number;
      if (left === 0) continue;
      const to = i * width;
      for (let j = i; j < width; j += 1)
        result[to + j] = (result[to + j] as number) + left * (dense[row + j] as number);
    }
  for (let i = 0; i < width; i += 1)
    for (let j = 0; j < i; j += 1) result[i * width + j] = result[j * width + i] as number;
  return result;
}

/** Eigenvalues of a symmetric matrix, falling, with their vectors. */
function eigen(matrix: Float64Array, width: number): { values: number[]; vectors: Float64Array[] } {
  const decomposition = new EigenvalueDecomposition(Matrix.from1DArray(width, width, matrix), {
    assumeSymmetric: true,
  });
  const order = decomposition.realEigenvalues
    .map((value, at) => ({ value, at }))
    .toSorted((a, b) => b.value - a.value);
  return {
    values: order.map(({ value }) => Math.max(0, value)),
    vectors: order.map(({ at }) => Float64Array.from(decomposition.eigenvectorMatrix.getColumn(at))),
  };
}

/** `dense × [vectors]`, each resulting column times its factor. */
function rotate(
  dense: Float32Array,
  width: number,
  vectors: readonly Float64Array[],
  factor: (k: number) => number,
): Float32Array {
  const kept = vectors.length;
  const rotation = new Float64Array(width * kept);
  vectors.forEach((vector, k) => {
    for (let i = 0; i < width; i += 1) rotation[i * kept + k] = (vector[i] as number) * factor(k);
  });
  const rows = dense.length / width;
  const result = new Float32Array(rows * kept);
  const sums = new Float64Array(kept);
  for (let row = 0; row < rows; row += 1) {
    sums.fill(0);
    for (let i = 0; i < width; i += 1) {
      const value = dense[row * width + i] as number;
      const from = i * kept;
      for (let k = 0; k < kept; k += 1)
        sums[k] = (sums[k] as number) + value * (rotation[from + k] as number);
    }
    result.set(sums, row * kept);
  }
  return result;
}

/** Nearly normal numbers from a fixed seed (sums of four uniform ones of a 32-bit linear congruential generator). */
function randomNumbers(count: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length: count }, () => uniform() + uniform() + uniform() + uniform());
}
