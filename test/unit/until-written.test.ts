import { afterEach, expect, test, vi } from 'vitest';
import { untilWritten } from '#src/database/until-written.ts';

// (fake-timers do not reach node:timers/promises)
vi.mock('node:timers/promises', () => ({ setTimeout: async (ms: number) => void (waited += ms) }));
let waited = 0;
afterEach(() => {
  waited = 0;
});

test('what the database does not take at once is written when it is back, for ten minutes', async () => {
  let faults = 100;
  const write = async () => {
    if (faults-- > 0) throw new Error('the database system is starting up');
    return 'written';
  };
  expect(await untilWritten(write)).toBe('written');
  expect(waited).toBeGreaterThan(7 * 60_000);
});

test('after ten minutes it is given up', async () => {
  await expect(untilWritten(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(waited).toBeGreaterThan(9 * 60_000);
  expect(waited).toBeLessThan(11 * 60_000);
});
