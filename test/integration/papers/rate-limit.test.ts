import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '#src/database/database.ts';
import { createSharedRateLimit } from '#src/papers/rate-limit-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.destroy());

it('spaces the requests of several processes to one site; the wait of another site is none of theirs', async () => {
  const pools = [1, 2, 3].map(() => openDatabase(test.url, { max: 2 }));
  const starts: number[] = [];
  let running = 0;
  const visit = async () => {
    starts.push(performance.now());
    expect(++running).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running -= 1;
  };
  const first = createSharedRateLimit(test, { interval: () => 60_000 });
  await first.turn('example.org', async () => undefined);
  const limits = pools.map((database) => createSharedRateLimit({ database }, { interval: () => 40 }));
  await Promise.all(
    limits.flatMap((limit) => [limit.turn('arxiv.org', visit), limit.turn('arxiv.org', visit)]),
  );
  await Promise.all(pools.map((database) => database.destroy()));
  expect(starts).toHaveLength(6);
  for (const [index, start] of starts.entries())
    if (index > 0) expect(start - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(35);
});

it('frees a site when a request fails', async () => {
  const limit = createSharedRateLimit(test, { interval: () => 1 });
  await expect(limit.turn('a.example', () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  expect(await limit.turn('a.example', async () => 'again')).toBe('again');
});
