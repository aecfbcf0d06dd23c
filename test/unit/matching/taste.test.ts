import { expect, it } from 'vitest';
import type { PaperId } from '#src/database/ids.ts';
import type { Relevance } from '#src/matching/relevance-parts.ts';
import { likeness } from '#src/matching/taste.ts';
import { createWeightedSums } from '#src/matching/weighted-sums.ts';

const SIZE = 8;
const sums = createWeightedSums(SIZE);
const desk = { sums, background: sums.lend() };
const scores = sums.lend();

const relevance: Relevance = {
  scores: Float32Array.from({ length: SIZE }, (_, at) => at / SIZE),
  background: Float32Array.from({ length: SIZE }, (_, at) => (at % 3) / 3),
  explain: () => [],
  strongest: () => ({ terms: [] }),
};

const shareOf = (count: number): number | undefined =>
  likeness(
    Array.from({ length: count }, (_, at) => at as PaperId),
    desk,
    scores,
    () => relevance,
  )?.share;

it('gives one marked paper a third beside a phrase, and more of them ever more', () => {
  expect(shareOf(0)).toBeUndefined();
  expect(shareOf(1)).toBeCloseTo(1 / 3);
  const shares = Array.from({ length: 100 }, (_, before) => shareOf(before + 1) as number);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(new Set(shares).size).toBe(100);
  expect(shares.at(-1)).toBeLessThan(1);
});
