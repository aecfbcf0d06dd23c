import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { type Database, openDatabase } from '#src/database/database.ts';
import { type IsoDate, utcDate } from '#src/database/ids.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { isPostgres, runningServer } from '#src/embedded/server-process.ts';
import { type OpenQueue, openQueue } from '#src/queue/queue.ts';
import { startRedis, type TestRedis } from '#test/support/redis.ts';
import { type SmtpSink, startSmtpSink } from '#test/support/smtp-sink.ts';

/** One worker process: the real `paperboy worker`. */
export type WorkerProcess = {
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  readonly output: () => string;
  readonly endedByItself: () => boolean;
};

/** What a case plays on: real PostgreSQL, a queue, a sink that counts, and real worker processes. */
export type Stage = {
  readonly database: () => Database;
  readonly sink: SmtpSink;
  readonly redis: TestRedis | null;
  readonly edition: IsoDate;
  readonly connections: number;
  /** Removed with the stage. */
  readonly folder: string;
  /** Folder of the small file system that holds PostgreSQL; undefined: it is on the usual one. */
  readonly disk: string | undefined;
  databaseUrl(): string;
  /** The pid of the PostgreSQL server. */
  postgresPid(): Promise<number>;
  /** Starts PostgreSQL again after it was killed or stopped. */
  startPostgres(): Promise<void>;
  stopPostgres(): Promise<void>;
  /** @param wrapper command that runs it */
  startWorker(environment?: Record<string, string>, wrapper?: readonly string[]): Promise<WorkerProcess>;
  /** Runs another command of `paperboy` beside the workers. @returns what it printed @throws when it fails */
  run(...args: string[]): Promise<string>;
  /** Asks the workers for a sweep, as the scheduler does every minute. */
  askForSweep(): Promise<void>;
  /** Puts a job without parameters on the queue; a backend that is away is no error. */
  ask(job: 'plan' | 'sweep' | 'upkeep'): Promise<void>;
  /** What workers that ended by themselves said last: they should not have. */
  lastWords(): string;
  /** Kills every worker that still runs. */
  killWorkers(): Promise<void>;
  destroy(): Promise<void>;
};

const root = join(import.meta.dirname, '../..');
const SECRET = 'the secret of a chaos run, which mails nobody';
/** Short, so that what a lease guards is met within a run. */
export const LEASE_SECONDS = 10;

/** Builds a stage in a temporary folder. */
export async function openStage(options: {
  backend: 'postgres' | 'redis';
  connections: number;
  disk?: string;
}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-chaos-'));
  const cluster = join(options.disk ?? folder, 'postgres');
  // A small disk must not be full of log before anything happens.
  const settings = {
    max_connections: '200',
    ...(options.disk ? { max_wal_size: '64MB', min_wal_size: '32MB' } : {}),
  };
  let server = await startEmbeddedPostgres(cluster, { settings });
  let database = openDatabase(server.url, { max: 4, onError: () => undefined });
  await migrateDatabase(database);
  const redis = options.backend === 'redis' ? await startRedis() : null;
  const sink = await startSmtpSink();
  const workers = new Set<WorkerProcess>();
  let queue: OpenQueue | null = null;
  const environment = () => ({
    PATH: process.env.PATH ?? '',
    HOME: folder,
    DATABASE_URL: server.url,
    ...(redis ? { REDIS_URL: redis.url } : {}),
    SMTP_URL: sink.url,
    SMTP_CONNECTIONS: String(options.connections),
    SECRET,
    DATA_DIR: join(folder, 'data'),
    BASE_URL: 'https://papers.example.org',
    MAIL_FROM: 'Paperboy <paperboy@papers.example.org>',
    POSTAL_ADDRESS: 'Nowhere 1',
    SOURCES: 'sample',
    LEASE_SECONDS: String(LEASE_SECONDS),
    LOG_LEVEL: 'warn',
  });
  const stage: Stage = {
    database: () => database,
    sink,
    redis,
    edition: utcDate(new Date()),
    connections: options.connections,
    folder,
    disk: options.disk,
    databaseUrl: () => server.url,
    postgresPid: async () => {
      const running = await runningServer(join(cluster, 'cluster'));
      if (!running) throw new Error('PostgreSQL does not run');
      return running.pid;
    },
    stopPostgres: async () => {
      await database.destroy().catch(() => undefined);
      await server.stop();
    },
    startPostgres: async () => {
      await database.destroy().catch(() => undefined);
      const old = await runningServer(join(cluster, 'cluster'));
      while (old && (await isPostgres(old.pid))) await delay(50);
      server = await startEmbeddedPostgres(cluster, { settings });
      database = openDatabase(server.url, { max: 4, onError: () => undefined });
    },
    startWorker: async (extra = {}, wrapper = []) => {
      const worker = await spawnWorker({ ...environment(), ...extra }, wrapper);
      workers.add(worker);
      return worker;
    },
    run: async (...args) => {
      const command = [join(root, 'src/main.ts'), ...args];
      return (await promisify(execFile)(process.execPath, command, { env: environment() })).stdout;
    },
    askForSweep: () => stage.ask('sweep'),
    ask: async (job) => {
      try {
        queue ??= await openQueue(
          redis ? { kind: 'redis', url: redis.url } : { kind: 'postgres', url: server.url },
        );
        await queue.queue.add(job, {});
      } catch {
        // The backend is away: that is what some cases are about.
        queue = null;
      }
    },
    lastWords: () =>
      [...workers]
        .filter((worker) => worker.endedByItself())
        .map((worker) => worker.output().slice(-3_000))
        .join('\n---\n'),
    killWorkers: async () => {
      await Promise.all([...workers].map((worker) => worker.kill()));
      workers.clear();
    },
    destroy: async () => {
      await stage.killWorkers();
      await queue?.close().catch(() => undefined);
      await sink.close();
      await redis?.destroy();
      await database.destroy().catch(() => undefined);
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

async function spawnWorker(
  environment: Record<string, string>,
  wrapper: readonly string[],
): Promise<WorkerProcess> {
  const [program, ...rest] = [...wrapper, process.execPath, join(root, 'src/main.ts'), 'worker'] as const;
  const child: ChildProcess = spawn(program, rest, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const up = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
      if (output.includes('worker is up')) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code, signal) =>
      reject(new Error(`the worker ended (${code ?? signal}):\n${output}`)),
    );
  });
  // A worker may also be killed while it starts.
  await up.catch((error: unknown) => {
    if (!child.killed) throw error;
  });
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    output: () => output,
    endedByItself: () => !child.killed && child.exitCode !== null,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Adds papers once, and `count` fresh readers; with `digests` also their planned rows, due since an hour. */
export async function fill(stage: Stage, count: number, digests: boolean): Promise<void> {
  const database = stage.database();
  await sql`truncate digests, digest_blocks, subscribers, notices, editions, suppressions cascade`.execute(
    database,
  );
  await sql`
    insert into papers (identity, arxiv_id, title, abstract, authors, categories, first_listed_on)
    select 'arxiv:2606.' || (10000 + n), '2606.' || (10000 + n), 'Paper number ' || n, repeat('Words of an abstract. ', 40),
           array['Ada Lovelace'], array['cs.LG'], ${stage.edition}::date
    from generate_series(1, 20) as n on conflict do nothing`.execute(database);
  // Readers who are not due again: the planner leaves them alone, unless it is what the case is about.
  await sql`
    insert into subscribers (email, email_key, state, hour, created_at, confirmed_at)
    select 'reader' || n || '@example.org', 'reader' || n || '@example.org', 'active',
           extract(hour from now() at time zone 'UTC')::int, now(), now()
    from generate_series(1, ${count}::int) as n`.execute(database);
  if (!digests) {
    await sql`
      insert into schedules (subscriber_id, next_digest_at)
      select id, now() - interval '1 minute' from subscribers`.execute(database);
    return;
  }
  await sql`
    insert into digests (id, edition_date, subscriber_id, state, paper_ids, slot_at, due_at, deadline)
    select b.first + (s.n - 1) % 500, ${stage.edition}::date, s.id, 'planned', p.ids,
           now() - interval '1 hour', now() - interval '1 hour', now() + interval '30 hours'
    from (select id, row_number() over (order by id) as n from subscribers) s
    join (select n, nextval('digest_ids') as first from generate_series(0, (${count}::int - 1) / 500) n) b
      on b.n = (s.n - 1) / 500,
    (select array_agg(id) as ids from (select id from papers order by id limit 10) p) p
    order by s.n`.execute(database);
}
