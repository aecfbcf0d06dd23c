import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMatrix, type FixedVector, product, toFixed } from '#src/matching/products.ts';

function products(rows: readonly Float32Array[], vectors: readonly Float32Array[]): Float32Array[] {
  const matrix = createMatrix(rows.length, rows[0]?.length ?? 0);
  rows.forEach((row, at) => matrix.write(at, row));
  return matrix.products(rows.length, vectors.map(toFixed));
}

/** Unit vectors that look arbitrary. */
const unitVectors = (count: number, length: number, seed: number): Float32Array[] =>
  Array.from({ length: count }, (_, row) => {
    const numbers = Float32Array.from({ length }, (_, at) => Math.sin(seed + (row * length + at) * 1.7));
    const norm = Math.hypot(...numbers);
    return numbers.map((number) => number / norm);
  });

describe('products of a matrix with vectors', () => {
  it('are those of plain multiplication, for any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 20 }),
        (length, size, count) => {
          const rows = unitVectors(size, length, 1);
          const vectors = unitVectors(count, length, 2);
          const found = products(rows, vectors);
          expect(found.map((each) => each.length)).toEqual(vectors.map(() => size));
          vectors.forEach((vector, at) => {
            for (const row of [0, size >> 1, size - 1]) {
              const sum = vector.reduce((total, value, k) => total + value * (rows[row]?.[k] ?? 0), 0);
              expect(Math.abs((found[at]?.[row] ?? Number.NaN) - sum)).toBeLessThan(0.0001);
            }
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are those of a row and a vector by themselves, however long they are', () => {
    const [one, other] = [Float32Array.of(1), new Float32Array(4096).fill(1 / 64)];
    for (const vector of [one, other, one.map((number) => -number)]) {
      const matrix = createMatrix(1, vector.length);
      matrix.write(0, vector);
      const alone = product(matrix.row(0), toFixed(vector));
      expect(alone).toBeCloseTo(1, 3);
      expect(matrix.products(1, [toFixed(vector)])).toEqual([Float32Array.of(alone)]);
    }
  });

  it('are the same to the bit whatever stands beside a vector or a row', () => {
    const rows = unitVectors(5000, 256, 2);
    const vectors = unitVectors(70, 256, 3);
    const together = products(rows, vectors);
    for (const at of [0, 7, 8, 69])
      expect(products(rows, [vectors[at] as Float32Array])[0]).toEqual(together[at]);
    const fewer = products(rows.slice(3, 1503), vectors.slice(5, 8));
    expect(fewer[1]).toEqual(together[6]?.slice(3, 1503));
  });

  it('of fewer rows leave the others out, and of more are refused', () => {
    const matrix = createMatrix(9, 3, 6);
    for (let row = 0; row < 9; row += 1) matrix.write(row, Float32Array.of(0.6, 0, 0.8));
    const vector: FixedVector = toFixed(Float32Array.of(1, 0, 0));
    for (const rows of [5, 6])
      expect(matrix.products(rows, [vector])).toEqual([
        new Float32Array(rows).fill(product(matrix.row(0), vector)),
      ]);
    expect(() => matrix.products(7, [])).toThrow('7 rows of a matrix of which 6 may be multiplied');
  });

  it('of nothing are nothing', () => {
    expect(products([], [])).toEqual([]);
    expect(products([], [new Float32Array()])).toEqual([new Float32Array()]);
  });
});
