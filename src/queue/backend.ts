import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  type Queue,
  Queue as RedisQueue,
  Worker as RedisWorker,
  runMigrations,
  type Worker,
  withBackend,
} from 'bullmq';
import pg from 'pg';

/**
 * Where jobs are kept. PostgreSQL: BullMQ's own tables in schema `bullmq` of that database. Redis: keys under `prefix`
 * (default `paperboy`). `answerMs`: how long an answer is waited for before its connection is given up (default a minute).
 */
export type QueueBackend =
  | { readonly kind: 'postgres'; readonly url: string; readonly answerMs?: number }
  | { readonly kind: 'redis'; readonly url: string; readonly prefix?: string; readonly answerMs?: number };

/** The parts of BullMQ that are used, whatever the backend. */
export type BullQueue = Pick<
  Queue,
  | 'add'
  | 'addBulk'
  | 'close'
  | 'getJobCounts'
  | 'getJobScheduler'
  | 'getJobSchedulers'
  | 'getWorkersCount'
  | 'on'
  | 'removeJobScheduler'
  | 'upsertJobScheduler'
  | 'waitUntilReady'
>;
/** See {@link BullQueue}. */
export type BullWorker = Pick<Worker, 'close' | 'on' | 'waitUntilReady'>;
/** One processing function for all jobs of a queue. */
export type BullProcessor = (job: { name: string; data: unknown }) => Promise<void>;

/** Makes queues and workers on one backend. */
export type QueueFactory = {
  queue(name: string): BullQueue;
  worker(name: string, concurrency: number, process: BullProcessor): BullWorker;
};

/** A worker killed -9 loses its jobs' locks after this; another takes them over at the next check. Milliseconds. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** How often a failed or repeatedly lost job is tried; what it left undone is found by the sweep anyway. */
const JOB_ATTEMPTS = 3;

const jobOptions = {
  attempts: JOB_ATTEMPTS,
  backoff: { type: 'exponential', delay: 2_000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: { count: 500 },
} as const;

const workerOptions = {
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_CHECK_MS,
  maxStalledCount: JOB_ATTEMPTS,
  // After a fault of the backend; BullMQ's default of 15 s leaves a restarted server idle for as long.
  runRetryDelay: 1_000,
};

/**
 * Prepares the backend (PostgreSQL: migrates BullMQ's schema, safe from several processes at once).
 * @throws the backend's own error when it is out of reach
 */
export async function openBackend(backend: QueueBackend): Promise<QueueFactory> {
  if (backend.kind === 'redis') return redisFactory(backend);
  await migrateQueue(backend);
  return postgresFactory(backend);
}

/** The backend as it is, to look at: its schema stays as found, and its queues write nothing of themselves. */
export const backendAsItIs = (backend: QueueBackend): Pick<QueueFactory, 'queue'> =>
  backend.kind === 'redis'
    ? redisFactory(backend, { skipMetasUpdate: true })
    : postgresFactory(backend, { skipMetasUpdate: true });

/** A statement of a migration may take longer than others, and may wait for another process that migrates. */
const MIGRATION_MS = 15 * 60_000;

async function migrateQueue(backend: QueueBackend & { kind: 'postgres' }): Promise<void> {
  const client = new (clientWithin(MIGRATION_MS))({
    connectionString: backend.url,
    application_name: 'paperboy-queue',
    connectionTimeoutMillis: backend.answerMs ?? ANSWER_MS,
  });
  await client.connect();
  try {
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

/** Where BullMQ's migrations put its tables. */
const SCHEMA = 'bullmq';

/** What is between us and the server may swallow octets and keep the connection open: an answer is waited for so long. */
const ANSWER_MS = 60_000;

/**
 * A client whose connection is given up when an answer does not come in time: its queries reject then, and what became of
 * them is as unknown as after any lost connection. Faults between two queries (a server that goes down) are no end of the
 * process either: the next query rejects anyway.
 */
const clientWithin = (answerMs: number) =>
  class PatientClient extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      this.on('error', () => undefined);
      let timer: NodeJS.Timeout | undefined;
      const query = this.query.bind(this) as (...parameters: unknown[]) => unknown;
      const giveUp = () => {
        const { stream } = (this as unknown as pg.PoolClient).connection;
        stream.destroy(new Error(`the database of the queue has not answered for ${answerMs / 1000} s`));
      };
      const answered = () => {
        clearTimeout(timer);
        timer = undefined;
      };
      this.on('drain', answered).on('end', answered);
      this.query = ((...parameters: unknown[]) => {
        timer ??= setTimeout(giveUp, answerMs);
        return query(...parameters);
      }) as typeof this.query;
    }
  };

/** Passed on to BullMQ's queues. */
type QueueManners = { readonly skipMetasUpdate?: boolean };

/** Connections of one queue or worker at most. */
const POOL = 5;

/** Connections to PostgreSQL that the queue of one process takes at most: producer and worker of three lanes. */
export const MOST_CONNECTIONS = 6 * POOL;

function postgresFactory(
  backend: QueueBackend & { kind: 'postgres' },
  manners: QueueManners = {},
): QueueFactory {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const answerMs = backend.answerMs ?? ANSWER_MS;
  // A pool of our own for each, and not its settings: BullMQ's connection that waits for jobs is then one of it as well.
  const openPool = () =>
    new pg.Pool({
      connectionString: backend.url,
      application_name: 'paperboy-queue',
      options: `-c search_path=${SCHEMA}`,
      max: POOL,
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      Client: clientWithin(answerMs),
    });
  return {
    queue: (name) => {
      const pool = openPool();
      const queue = new Queue(name, {
        ...manners,
        connection: asConnection(pool),
        defaultJobOptions: jobOptions,
      });
      return closingWith(queue as unknown as BullQueue, pool);
    },
    worker: (name, concurrency, process) => {
      const pool = openPool();
      const options = { ...workerOptions, connection: asConnection(pool), concurrency };
      const worker = new Worker(name, (job) => process(job), options);
      return closingWith(worker as unknown as BullWorker, pool);
    },
  };
}

/** BullMQ takes a pool, though its types ask for settings that may have any name. */
const asConnection = (pool: pg.Pool) => pool as unknown as PostgresConnectionOptions;

/** BullMQ leaves a pool open that it didn't make. */
function closingWith<Closable extends { close(): Promise<void> }>(thing: Closable, pool: pg.Pool): Closable {
  const close = thing.close.bind(thing);
  let closing: Promise<void> | undefined;
  thing.close = () => (closing ??= close().then(() => pool.end()));
  return thing;
}

function redisFactory(backend: QueueBackend & { kind: 'redis' }, manners: QueueManners = {}): QueueFactory {
  const prefix = backend.prefix ?? 'paperboy';
  // A producer gives up soon when Redis is gone (the sweep makes it good); a worker waits for it for ever.
  // A worker that waits for a job is answered every five seconds.
  const answerMs = backend.answerMs ?? ANSWER_MS;
  // A fail-over leaves us connected to the old master, which takes nothing any more: its address leads to the new one.
  const reconnectOnError = (error: Error) => /\bREADONLY\b/.test(error.message);
  const limits = { url: backend.url, socketTimeout: answerMs, reconnectOnError };
  const producer = { ...limits, maxRetriesPerRequest: 2, commandTimeout: answerMs, enableOfflineQueue: true };
  const consumer = { ...limits, maxRetriesPerRequest: null };
  return {
    queue: (name) =>
      new RedisQueue(name, {
        ...manners,
        connection: producer,
        prefix,
        defaultJobOptions: jobOptions,
      }) as BullQueue,
    worker: (name, concurrency, process) =>
      new RedisWorker(name, (job) => process(job), {
        ...workerOptions,
        connection: consumer,
        prefix,
        concurrency,
      }) as BullWorker,
  };
}
