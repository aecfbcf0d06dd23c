import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMatrix } from '#src/matching/products.ts';

function products(numbers: Float32Array, rows: number, vectors: readonly Float32Array[]): Float32Array[] {
  const length = vectors[0]?.length ?? 0;
  const matrix = createMatrix(rows, length);
  matrix.numbers.set(numbers.subarray(0, rows * length));
  return matrix.products(rows, vectors);
}

const numbers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => Math.sin(seed + at * 1.7));

describe('products of a matrix with vectors', () => {
  it('are those of plain multiplication, for any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 20 }),
        (length, rows, count) => {
          const matrix = numbers(rows * length, 1);
          const vectors = Array.from({ length: count }, (_, at) => numbers(length, at));
          const found = products(matrix, rows, vectors);
          expect(found.map((each) => each.length)).toEqual(vectors.map(() => rows));
          vectors.forEach((vector, at) => {
            for (const row of [0, rows >> 1, rows - 1]) {
              const sum = vector.reduce(
                (total, value, k) => total + value * (matrix[row * length + k] ?? 0),
                0,
              );
              expect(found[at]?.[row]).toBeCloseTo(sum, 4);
            }
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are the same to the bit whatever stands beside a vector or a row', () => {
    const matrix = numbers(5000 * 256, 2);
    const vectors = Array.from({ length: 70 }, (_, at) => numbers(256, at));
    const together = products(matrix, 5000, vectors);
    for (const at of [0, 7, 8, 69])
      expect(products(matrix, 5000, [vectors[at] as Float32Array])[0]).toEqual(together[at]);
    const fewer = products(matrix.subarray(3 * 256), 1500, vectors.slice(5, 8));
    expect(fewer[1]).toEqual(together[6]?.slice(3, 1503));
  });

  it('of fewer rows leave the others out, and of more are refused', () => {
    const matrix = createMatrix(9, 3, 6);
    matrix.numbers.fill(1);
    expect(matrix.products(5, [Float32Array.of(1, 2, 3)])).toEqual([new Float32Array(5).fill(6)]);
    expect(matrix.products(6, [Float32Array.of(1, 2, 3)])).toEqual([new Float32Array(6).fill(6)]);
    expect(() => matrix.products(7, [])).toThrow('7 rows of a matrix of which 6 may be multiplied');
  });

  it('of nothing are nothing', () => {
    expect(products(new Float32Array(), 0, [])).toEqual([]);
    expect(products(new Float32Array(), 0, [numbers(3, 0)])).toEqual([new Float32Array()]);
  });
});
