import { expect, test } from 'vitest';
import { createFreshCache } from '#src/digests/fresh-cache.ts';

function counted(limit = 100) {
  const clock = { now: 1_000_000 };
  const asked: number[][] = [];
  const read = async (keys: readonly number[]) => {
    asked.push([...keys]);
    return new Map(keys.filter((key) => key < 100).map((key) => [key, `${key} at ${clock.now}`]));
  };
  return {
    clock,
    asked,
    cache: createFreshCache(read, { now: () => new Date(clock.now), keepMs: 1_000, limit }),
  };
}

test('asks for each key once while it is fresh, and for absent ones each time', async () => {
  const { clock, asked, cache } = counted();
  await cache([1, 2]);
  clock.now += 999;
  expect(await cache([2, 3, 500])).toEqual(
    new Map([
      [2, '2 at 1000000'],
      [3, '3 at 1000999'],
    ]),
  );
  await cache([500]);
  clock.now += 1;
  expect((await cache([1])).get(1)).toBe('1 at 1001000');
  expect(asked).toEqual([[1, 2], [3, 500], [500], [1]]);
});

test('a full memory loses nothing that was asked for', async () => {
  const { cache } = counted(3);
  await cache([1, 2, 3]);
  expect([...(await cache([1, 2, 3, 4])).keys()].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
});

test('a clock that is set back makes nothing fresh', async () => {
  const { clock, asked, cache } = counted();
  await cache([1]);
  clock.now -= 5_000;
  await cache([1]);
  expect(asked).toEqual([[1], [1]]);
});
