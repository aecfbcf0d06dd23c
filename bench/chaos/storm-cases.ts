import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import pg from 'pg';
import type { Case, CaseContext } from './case.ts';
import type { Stage, WorkerProcess } from './stage.ts';

/** How long a fault of the database lasts, in seconds. */
const FAULT_S = 10;

const slowly = (stage: Stage) => {
  stage.sink.script = (at) => (at === 'content' ? delay(10, undefined) : undefined);
};

async function connect(stage: Stage): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: stage.databaseUrl() });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const connectionsTaken: Case = {
  name: 'others take all connections of PostgreSQL (53300), ours are ended',
  play: async ({ stage, taken }) => {
    slowly(stage);
    await stage.startWorker();
    await taken(0.2);
    const held: pg.Client[] = [];
    let refused = 0;
    for (const end = performance.now() + FAULT_S * 1_000; performance.now() < end; ) {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
                where application_name like 'paperboy%' and pid <> pg_backend_pid()`
        .execute(stage.database())
        .catch(() => undefined);
      for (;;) {
        const client = await connect(stage).catch(() => null);
        if (!client) break;
        held.push(client);
      }
      refused += 1;
      await delay(250);
    }
    for (const client of held) await client.end().catch(() => undefined);
    if (refused === 0) throw new Error('nobody was refused: the case proves nothing');
    await taken(1);
    return { bound: 0 };
  },
};

const readOnly: Case = {
  name: 'PostgreSQL read-only for ten seconds (25006)',
  play: async ({ stage, taken }) => {
    slowly(stage);
    await stage.startWorker();
    await taken(0.2);
    const client = await connect(stage);
    await client.query('set default_transaction_read_only = off');
    await client.query('alter system set default_transaction_read_only = on');
    await client.query('select pg_reload_conf()');
    await delay(FAULT_S * 1_000);
    await client.query('alter system reset default_transaction_read_only');
    await client.query('select pg_reload_conf()');
    await client.end();
    await taken(1);
    return { bound: 0 };
  },
};

const garbledJournals: Case = {
  name: 'kill -9, and its journals garbled',
  play: async ({ stage, taken }) => {
    slowly(stage);
    const worker = await stage.startWorker();
    await taken(0.3);
    await worker.kill();
    const root = join(stage.folder, 'data/journal');
    const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.journal'));
    if (files.length === 0) throw new Error('there was no journal: the case proves nothing');
    for (const name of files) {
      await appendFile(join(root, name), 'E 99999999999999999999 sent - x\nE 12 \0\0 - \nB abc\n\xff\xfe');
      await writeFile(join(root, name, '../7-1.journal'), '{"leaseToken":1e300,"pid":null}\nB 1\n');
    }
    await stage.startWorker();
    await taken(1);
    return { bound: stage.connections };
  },
};

/** Such a worker gave up, and took the jobs of all others for ever. */
const redisFull: Case = {
  name: 'a worker starts while Redis is full',
  needs: 'redis',
  play: async ({ stage, taken }) => {
    const redis = new Redis(stage.redis?.url ?? '');
    await redis.set('filler', Buffer.alloc(3_000_000));
    await redis.config('SET', 'maxmemory', '1mb');
    const starting = stage.startWorker();
    await delay(6_000);
    await redis.config('SET', 'maxmemory', '0');
    await redis.del('filler');
    redis.disconnect();
    await starting;
    await taken(1);
    return { bound: 0 };
  },
};

const WORKERS = 3;
const STORM_S = 30;

/** What may happen to one of several workers, or to all. @returns how many digests it may leave in doubt */
const FAULTS: readonly ((
  context: Pick<CaseContext, 'stage' | 'random'>,
  workers: WorkerProcess[],
  at: number,
) => Promise<number>)[] = [
  async ({ stage }, workers, at) => {
    await workers[at]?.kill();
    workers[at] = await stage.startWorker();
    return stage.connections;
  },
  async ({ random }, workers, at) => {
    workers[at]?.signal('SIGSTOP');
    await delay(random() * 3_000);
    workers[at]?.signal('SIGCONT');
    return 0;
  },
  async ({ stage }, workers, at) => {
    workers[at]?.signal('SIGTERM');
    workers[at] = await stage.startWorker();
    return 0;
  },
  async ({ stage }) => {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
              where application_name like 'paperboy%' and pid <> pg_backend_pid() and random() < 0.3`
      .execute(stage.database())
      .catch(() => undefined);
    return 0;
  },
  async ({ stage, random }) => {
    process.kill(await stage.postgresPid(), 'SIGKILL');
    await delay(random() * 1_500);
    await stage.startPostgres();
    return 0;
  },
  async ({ stage }) => {
    stage.sink.dropAll();
    return WORKERS * stage.connections;
  },
  async ({ stage }) => {
    await stage.redis?.flush();
    await stage.askForSweep();
    return 0;
  },
];

const everything: Case = {
  name: 'everything at random: kills, stops, restarts, cuts; three workers',
  play: async ({ stage, random, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(40, undefined) : undefined);
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => stage.startWorker()));
    let bound = 0;
    for (const end = performance.now() + STORM_S * 1_000; performance.now() < end; ) {
      const fault = FAULTS[Math.floor(random() * FAULTS.length)];
      bound += (await fault?.({ stage, random }, workers, Math.floor(random() * WORKERS))) ?? 0;
      await delay(random() * 1_500);
    }
    stage.sink.script = () => undefined;
    // One whose start met a database that was away has ended.
    await stage.startWorker();
    await taken(1);
    return { bound };
  },
};

/** Faults of what is around a worker, that came after those of more-cases.ts. */
export const STORM_CASES: readonly Case[] = [
  connectionsTaken,
  readOnly,
  garbledJournals,
  redisFull,
  everything,
];
