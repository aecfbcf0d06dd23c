import type { SparseMatrix } from './decompose.ts';

/** Rows × basis: the vectors of papers in the directions of the basis, by paper. Terms beyond the basis are ignored. */
export function projectRows(
  { rows, starts, indices, values }: Omit<SparseMatrix, 'columns'>,
  basis: Float32Array,
  rank: number,
): Float32Array {
  const result = new Float32Array(rows * rank);
  const isKnown = (at: number): boolean => (indices[at] as number) * rank < basis.length;
  for (let row = 0; row < rows; row += 1) {
    const sums = result.subarray(row * rank, (row + 1) * rank);
    const end = starts[row + 1] as number;
    const factor = (at: number): number => (at < end && isKnown(at) ? (values[at] as number) : 0);
    const place = (at: number): number => (at < end && isKnown(at) ? (indices[at] as number) * rank : 0);
    // Four terms a pass, since each pass writes all sums.
    for (let at = starts[row] as number; at < end; at += 4)
      addUp(sums, basis, [
        [factor(at), place(at)],
        [factor(at + 1), place(at + 1)],
        [factor(at + 2), place(at + 2)],
        [factor(at + 3), place(at + 3)],
      ]);
  }
  return result;
}

type Row = readonly [factor: number, place: number];

function addUp(
  sums: Float32Array,
  basis: Float32Array,
  [[a, first], [b, second], [c, third], [d, fourth]]: readonly [Row, Row, Row, Row],
): void {
  for (let k = 0; k < sums.length; k += 1)
    sums[k] =
      (sums[k] as number) +
      a * (basis[first + k] as number) +
      b * (basis[second + k] as number) +
      (c * (basis[third + k] as number) + d * (basis[fourth + k] as number));
}

/** Mean over papers of their vectors times `scale`. */
export function scaledMean(vectors: Float32Array, scale: Float32Array): Float32Array {
  const rank = scale.length;
  const sums = new Float64Array(rank);
  for (let at = 0; at < vectors.length; at += 1)
    sums[at % rank] = (sums[at % rank] as number) + (vectors[at] as number) * (scale[at % rank] as number);
  return Float32Array.from(sums, (sum) => (sum * rank) / Math.max(1, vectors.length));
}

/** Each vector times `scale`, less `mean`, at length 1: in these, papers are compared with papers. */
export function comparable(vectors: Float32Array, scale: Float32Array, mean: Float32Array): Float32Array {
  const rank = scale.length;
  return unit(
    vectors.map((value, at) => value * (scale[at % rank] as number) - (mean[at % rank] as number)),
    rank,
  );
}

/** Each vector at length 1; a zero vector stays. Changes and returns what it is given. */
export function unit(vectors: Float32Array, rank: number): Float32Array {
  for (let start = 0; start < vectors.length; start += rank) {
    let squares = 0;
    for (let k = start; k < start + rank; k += 1) squares += (vectors[k] as number) ** 2;
    const length = Math.sqrt(squares) || 1;
    for (let k = start; k < start + rank; k += 1) vectors[k] = (vectors[k] as number) / length;
  }
  return vectors;
}
