import { expect, it } from 'vitest';
import type { PaperId } from '#src/database/ids.ts';
import type { Sets } from '#src/matching/categories.ts';
import { addedTo, agreement, type Listed } from '#src/matching/category-agreement.ts';
import type { Relevance } from '#src/matching/relevance-parts.ts';
import { likeness } from '#src/matching/taste.ts';
import { createWeightedSums } from '#src/matching/weighted-sums.ts';

const SIZE = 8;
const sums = createWeightedSums(SIZE);
const desk = { sums, background: sums.lend(), backgroundStart: 0 };
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

/** Background texts under each of three sets of categories: one common, two rare. */
const sets: Sets = {
  of: Int32Array.of(0, 1, 2, 0, 0, 0, 0, 0),
  scored: 3,
  background: 100,
  inBackground: Int32Array.of(90, 5, 5),
};
const under = (set: number): Listed => {
  const cosines = Float32Array.from({ length: 3 }, (_, other) => (other === set ? 1 : 0));
  return { set, cosines, sets, factor: 2, usual: 2 * ((sets.inBackground[set] as number) / 100) };
};
const timesOf = (...listed: (Listed | undefined)[]): number | undefined =>
  agreement(
    listed,
    listed.map(() => 1 / listed.length),
  )?.times;

it('counts categories twice at most where papers stand where few do, and not at all where each stands alone', () => {
  expect(timesOf(under(1), under(1), under(1))).toBe(2);
  expect(timesOf(under(1), under(2))).toBe(0);
  const common = timesOf(under(0), under(0), under(0)) as number;
  expect(common).toBeGreaterThan(0);
  expect(common).toBeLessThan(1);
});

it('leaves categories as they are where fewer than two papers have any', () => {
  expect(timesOf(under(1))).toBeUndefined();
  expect(timesOf(under(1), undefined, undefined)).toBeUndefined();
  expect(timesOf(under(1), under(1), undefined)).toBe(2);
});

it('adds to scores what categories count more, and what they add is in the mean nothing', () => {
  const scores = new Float32Array(3);
  agreement([under(1), under(1)], [0.5, 0.5])?.addTo(scores, 0, 1);
  expect(scores[1]).toBeCloseTo(2 - 0.1);
  expect(scores[0]).toBeCloseTo(-0.1);
  expect(addedTo(under(1), 1)).toBeCloseTo(2 - 0.1);
});
