import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { QueueBackend } from '#src/queue/backend.ts';
import { openQueue, type Processors } from '#src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { hasRedis, redisSkipNote, startRedis, type TestRedis } from '../support/redis.ts';
import { type SilentProxy, startSilentProxy } from '../support/silent-proxy.ts';
import { waitFor } from '../support/wait.ts';

const idle = async () => undefined;
const NOTHING: Processors = {
  'deliver-digests': idle,
  'deliver-notices': idle,
  plan: idle,
  sweep: idle,
  ingest: idle,
  embed: idle,
  upkeep: idle,
};

/** A worker behind a proxy that falls silent works again when the proxy does, or another way leads to the server. */
function silentSuite(
  sides: readonly ('server' | 'client')[],
  start: () => { readonly proxy: SilentProxy; at(url: string): QueueBackend; readonly url: string },
) {
  test.each(sides)(
    'a proxy that swallows what the %s says holds no worker',
    async (side) => {
      const { proxy, at, url } = start();
      const done = new Set<number>();
      const near = await openQueue(at(proxy.url));
      const far = await openQueue(at(url));
      const workers = await near.startWorkers({
        ...NOTHING,
        'deliver-digests': async ({ from }) => void done.add(from),
      });
      const add = (from: number) =>
        far.queue.add('deliver-digests', { editionDate: '2026-06-01', from, to: from });
      await add(1);
      await waitFor('the first job', () => done.has(1));
      proxy.silent = side;
      // Neither is what is asked for through it: it is refused when the limit is over, and not waited for for ever.
      await expect(
        near.queue.add('deliver-digests', { editionDate: '2026-06-01', from: 2, to: 2 }),
      ).rejects.toThrow();
      proxy.silent = undefined;
      await add(3);
      await waitFor('a job after the silence', () => done.has(3), 12_000);
      await workers.close(5_000);
      await near.close();
      await far.close();
    },
    30_000,
  );
}

describe('PostgreSQL', () => {
  let database: TestDatabase;
  let proxy: SilentProxy;
  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await startSilentProxy(database.url);
  });
  afterEach(() => {
    proxy.silent = undefined;
  });
  afterAll(async () => {
    await proxy.close();
    await database.destroy();
  });
  silentSuite(['server', 'client'], () => ({
    proxy,
    url: database.url,
    at: (url) => ({ kind: 'postgres', url, answerMs: 1_000 }),
  }));
});

describe.skipIf(!hasRedis)(`Redis${redisSkipNote}`, () => {
  let redis: TestRedis;
  let proxy: SilentProxy;
  beforeAll(async () => {
    redis = await startRedis();
    proxy = await startSilentProxy(redis.url);
  });
  afterEach(() => {
    proxy.silent = undefined;
  });
  afterAll(async () => {
    await proxy.close();
    await redis.destroy();
  });
  // Longer than a worker waits for a job (5 s): a connection that waits is no silent one.
  silentSuite(['server'], () => ({
    proxy,
    url: redis.url,
    at: (url) => ({ kind: 'redis', url, answerMs: 7_000 }),
  }));

  test('a fail-over leads producers and workers to the new master, though the old one keeps their connections', async () => {
    const master = await startRedis();
    const backend = (url: string): QueueBackend => ({ kind: 'redis', url, answerMs: 60_000 });
    const between = await startSilentProxy(redis.url);
    const queue = await openQueue(backend(between.url));
    const done = new Set<number>();
    const workers = await queue.startWorkers({
      ...NOTHING,
      'deliver-digests': async ({ from }) => void done.add(from),
    });
    const add = (from: number) =>
      queue.queue.add('deliver-digests', { editionDate: '2026-06-01', from, to: from });
    await add(1);
    await waitFor('the first job', () => done.has(1));
    between.port = Number(new URL(master.url).port);
    const old = new Redis(redis.url);
    await old.replicaof('127.0.0.1', between.port);
    const added = () =>
      add(2).then(
        () => true,
        () => false,
      );
    await waitFor('a job on the new master', added, 12_000);
    await waitFor('its end', () => done.has(2), 12_000);
    await workers.close(5_000);
    await queue.close();
    await old.replicaof('NO', 'ONE');
    old.disconnect();
    await between.close();
    await master.destroy();
  }, 40_000);
});
