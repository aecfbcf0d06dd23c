import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { QueueBackend } from '#src/queue/backend.ts';
import { type OpenQueue, openQueue, type Processors } from '#src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { hasRedis, redisSkipNote, startRedis, type TestRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

/** Processors that do nothing but what a test overrides. */
const processors = (overrides: Partial<Processors>): Processors => ({
  'deliver-digests': async () => undefined,
  'deliver-notices': async () => undefined,
  plan: async () => undefined,
  sweep: async () => undefined,
  ingest: async () => undefined,
  embed: async () => undefined,
  upkeep: async () => undefined,
  ...overrides,
});

/** The contract of the queue: the same on every backend. */
function queueSuite(backend: () => QueueBackend) {
  let queue: OpenQueue;
  const errors: Error[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    errors.length = 0;
    queue = await openQueue(backend(), { onError: (error) => errors.push(error) });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await queue.close();
  });
  const work = async (overrides: Partial<Processors>, concurrency = {}) => {
    const workers = await queue.startWorkers(processors(overrides), { concurrency });
    stops.push(() => workers.close(5_000));
    return workers;
  };

  test('a job reaches its processor with its payload', async () => {
    const seen: unknown[] = [];
    await work({ 'deliver-digests': async (payload) => void seen.push(payload) });
    await queue.queue.add('deliver-digests', { editionDate: '2026-06-01', from: 1, to: 500 });
    await waitFor('the job', () => seen.length === 1);
    expect(seen).toEqual([{ editionDate: '2026-06-01', from: 1, to: 500 }]);
  });

  test('a job that asks for itself later comes back once, not twice, each time', async () => {
    const range = { editionDate: '2026-06-02', from: 1, to: 500 };
    const runs: number[] = [];
    await work({
      'deliver-digests': async () => {
        runs.push(performance.now());
        if (runs.length > 6) return;
        // Two of them ask, as when the sweep had made the job a second time.
        await queue.queue.add('deliver-digests', range, { afterMs: 400 });
        await queue.queue.add('deliver-digests', range, { afterMs: 400 });
      },
    });
    await queue.queue.add('deliver-digests', range);
    await waitFor('three rounds', () => runs.length >= 3, 10_000);
    const pauses = runs.slice(1).map((at, i) => at - (runs[i] as number));
    expect(Math.min(...pauses)).toBeGreaterThan(300);
  });

  test('a payload that does not fit is refused at the door', async () => {
    // @ts-expect-error the type says so already
    const adding = queue.queue.add('deliver-digests', { editionDate: '2026-06-01', from: 'x' });
    await expect(adding).rejects.toThrow(/deliver-digests.*from/);
  });

  test('a failing job is reported and tried again', async () => {
    let runs = 0;
    await work({
      ingest: async () => {
        runs += 1;
        if (runs === 1) throw new Error('first try fails');
      },
    });
    await queue.queue.add('ingest', { source: 'retry' });
    await waitFor('the second try', () => runs === 2, 15_000);
    expect(errors.map((error) => error.message)).toContain('first try fails');
  });

  test('notices are done while digests keep every slot busy', async () => {
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let busy = 0;
    let notices = 0;
    await work(
      {
        'deliver-digests': async () => {
          busy += 1;
          await held;
        },
        'deliver-notices': async () => void (notices += 1),
      },
      { digests: 1 },
    );
    for (let from = 1; from <= 1001; from += 500)
      await queue.queue.add('deliver-digests', { editionDate: '2026-06-03', from, to: from + 499 });
    await waitFor('a busy digest lane', () => busy === 1);
    await queue.queue.add('deliver-notices', { ids: [1] });
    await waitFor('the notice', () => notices === 1);
    expect(busy).toBe(1);
    release();
    await waitFor('the rest', () => busy === 3);
  });

  test('a job that only waits lets its place go; closing waits for it all the same', async () => {
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen: string[] = [];
    const workers = await queue.startWorkers(
      processors({
        'deliver-digests': async ({ from }, { letGo }) => {
          seen.push(`begins ${from}`);
          if (from === 1) {
            letGo();
            await held;
          }
          seen.push(`ends ${from}`);
        },
      }),
      { concurrency: { digests: 1 } },
    );
    for (const from of [1, 501])
      await queue.queue.add('deliver-digests', { editionDate: '2026-06-03', from, to: from + 499 });
    await waitFor('the one behind it', () => seen.includes('ends 501'));
    expect(seen).toEqual(['begins 1', 'begins 501', 'ends 501']);
    const closing = workers.close(10_000);
    release();
    expect(await closing).toBe(true);
    expect(seen).toContain('ends 1');
  });

  test('a schedule runs, whoever asks how often', async () => {
    let beats = 0;
    await work({ sweep: async () => void (beats += 1) });
    const other = await openQueue(backend());
    stops.push(() => other.close());
    await queue.schedule({ sweep: 300 });
    await other.schedule({ sweep: 300 });
    const before = beats;
    const start = performance.now();
    await waitFor('four beats', () => beats - before >= 4);
    // Two schedulers at once don't double the beat.
    expect(performance.now() - start).toBeGreaterThan(700);
    await queue.schedule({ sweep: 3_600_000 });
  });

  test('closing waits for what runs, and says when it could not', async () => {
    let stopped = false;
    let running = false;
    const workers = await queue.startWorkers(
      processors({
        upkeep: async (_payload, { signal }) => {
          running = true;
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          stopped = true;
        },
      }),
    );
    await queue.queue.add('upkeep', {});
    await waitFor('the job to run', () => running);
    expect(await workers.close(5_000)).toBe(true);
    expect(stopped).toBe(true);
  });
}

describe('queue on PostgreSQL', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.destroy());
  queueSuite(() => ({ kind: 'postgres', url: database.url }));
});

describe.skipIf(!hasRedis)(`queue on Redis${redisSkipNote}`, () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.destroy());
  queueSuite(() => ({ kind: 'redis', url: redis.url }));
});
