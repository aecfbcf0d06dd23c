import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWeightedSums } from '#src/matching/weighted-sums.ts';

const number = fc.float({ min: -8, max: 8, noNaN: true });
/** Arrays of one length, and a factor each. */
const weighted = fc.nat(70).chain((length) =>
  fc.array(
    fc.tuple(fc.float32Array({ minLength: length, maxLength: length, min: -8, max: 8, noNaN: true }), number),
    {
      maxLength: 13,
    },
  ),
);

describe('weighted sums', () => {
  it('are those of a loop in 32 bits, wherever the arrays stand and however often', () => {
    fc.assert(
      fc.property(fc.array(weighted, { maxLength: 4 }), fc.nat(600), (readers, room) => {
        const sums = createWeightedSums(70, room);
        const [first, second] = [sums.lend(), sums.lend()];
        readers.forEach((given, at) => {
          const arrays = given.map(([array], place) => (place % 3 === at % 3 ? sums.keep(array) : array));
          const factors = given.map(([, factor]) => factor);
          const expected = inPlainWords(arrays, factors);
          expect([...sums.addUp(arrays, factors, at % 2 === 0 ? first : second)]).toEqual(expected);
          expect(arrays).toEqual(given.map(([array]) => array));
        });
      }),
    );
  });

  it('have the mean and deviation of a loop, from any entry on', () => {
    fc.assert(
      fc.property(
        fc.float32Array({ maxLength: 70, min: -8, max: 8, noNaN: true }),
        fc.nat(70),
        (array, from) => {
          const start = Math.min(from, array.length);
          const values = [...array.subarray(start)];
          const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
          const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
          const found = createWeightedSums(70).moments(array, start);
          expect(found.mean).toBeCloseTo(mean, 9);
          expect(found.deviation ** 2).toBeCloseTo(squares / Math.max(1, values.length), 9);
        },
      ),
    );
  });

  it('of one reader stay while those of another kind are written', () => {
    const sums = createWeightedSums(5);
    const array = Float32Array.of(1, 2, 3, 4, 5);
    const likes = sums.addUp([array], [2], sums.lend());
    const dislikes = sums.addUp([array, array], [1, 3], sums.lend());
    expect([[...likes], [...dislikes]]).toEqual([
      [2, 4, 6, 8, 10],
      [4, 8, 12, 16, 20],
    ]);
  });

  it('are none where there is nothing, as on a day without papers', () => {
    const sums = createWeightedSums(0);
    expect([...sums.addUp([sums.keep(new Float32Array())], [1], sums.lend())]).toEqual([]);
  });

  it('keep what there is room for', () => {
    const sums = createWeightedSums(1, 2 ** 14);
    const arrays = Array.from({ length: 40 }, () => new Float32Array(2 ** 10).fill(0.5));
    const kept = arrays.map((array) => sums.keep(array));
    expect(kept).toEqual(arrays);
    const inside = kept.filter((array, at) => array !== arrays[at]).length;
    expect(inside).toBeGreaterThanOrEqual(16);
    expect(inside).toBeLessThan(40);
  });
});

function inPlainWords(arrays: readonly Float32Array[], factors: readonly number[]): number[] {
  return Array.from(arrays[0] ?? [], (_, at) =>
    arrays.reduce(
      (sum, array, which) =>
        Math.fround(sum + Math.fround((array[at] as number) * Math.fround(factors[which] as number))),
      0,
    ),
  );
}
