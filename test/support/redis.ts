import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** True when a `redis-server` is installed; suites that need one skip otherwise. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** Add to the title of a `describe.skipIf(!hasRedis)`, so that the report says why it was skipped. */
export const redisSkipNote = hasRedis ? '' : ' (skipped: no redis-server installed)';

/** A Redis of a test's own, on a free port, without persistence. */
export type TestRedis = {
  readonly url: string;
  /** `kill` sends SIGKILL, and a start after it finds an empty server. */
  kill(): Promise<void>;
  start(): Promise<void>;
  flush(): Promise<void>;
  destroy(): Promise<void>;
};

/** Starts a Redis server and waits until it answers. */
export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
      { stdio: 'ignore' },
    );
    await withClient(url, (client) => client.ping());
  };
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url,
    start,
    kill,
    flush: () => withClient(url, (client) => client.flushall()),
    destroy: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function withClient(url: string, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: 200 });
  client.on('error', () => undefined);
  try {
    await work(client);
  } finally {
    client.disconnect();
    await delay(0);
  }
}

/** A TCP port that nothing listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
