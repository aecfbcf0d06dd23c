import {
  createPostgresBackend,
  type Queue,
  Queue as RedisQueue,
  Worker as RedisWorker,
  runMigrations,
  type Worker,
  withBackend,
} from 'bullmq';
import pg from 'pg';

/**
 * Where jobs are kept. PostgreSQL: BullMQ's own tables in schema `bullmq` (or `schema`) of that database.
 * Redis: keys under `prefix` (default `paperboy`).
 */
export type QueueBackend =
  | { readonly kind: 'postgres'; readonly url: string; readonly schema?: string }
  | { readonly kind: 'redis'; readonly url: string; readonly prefix?: string };

/** The parts of BullMQ that are used, whatever the backend. */
export type BullQueue = Pick<
  Queue,
  | 'add'
  | 'addBulk'
  | 'close'
  | 'getJobCounts'
  | 'getJobScheduler'
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

async function migrateQueue(backend: QueueBackend & { kind: 'postgres' }): Promise<void> {
  const client = new pg.Client({ connectionString: backend.url, application_name: 'paperboy-queue' });
  await client.connect();
  try {
    await runMigrations(client, backend.schema);
  } finally {
    await client.end();
  }
}

/**
 * BullMQ makes its pools itself. One of their clients that is checked out and between two queries when the server goes
 * down emits an error nobody listens to, which would end this process; its next query rejects anyway.
 */
class PatientClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

function postgresFactory(backend: QueueBackend & { kind: 'postgres' }): QueueFactory {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  // A config object, not a pool: BullMQ then sets the search_path and gives LISTEN a connection of its own.
  const connection = {
    connectionString: backend.url,
    ...(backend.schema === undefined ? {} : { schema: backend.schema }),
    application_name: 'paperboy-queue',
    max: 4,
    Client: PatientClient,
  };
  return {
    queue: (name) => new Queue(name, { connection, defaultJobOptions: jobOptions }) as unknown as BullQueue,
    worker: (name, concurrency, process) =>
      new Worker(name, (job) => process(job), {
        ...workerOptions,
        connection,
        concurrency,
      }) as unknown as BullWorker,
  };
}

function redisFactory(backend: QueueBackend & { kind: 'redis' }): QueueFactory {
  const prefix = backend.prefix ?? 'paperboy';
  // A producer gives up soon when Redis is gone (the sweep makes it good); a worker waits for it for ever.
  const producer = { url: backend.url, maxRetriesPerRequest: 2, enableOfflineQueue: true };
  const consumer = { url: backend.url, maxRetriesPerRequest: null };
  return {
    queue: (name) =>
      new RedisQueue(name, { connection: producer, prefix, defaultJobOptions: jobOptions }) as BullQueue,
    worker: (name, concurrency, process) =>
      new RedisWorker(name, (job) => process(job), {
        ...workerOptions,
        connection: consumer,
        prefix,
        concurrency,
      }) as BullWorker,
  };
}
