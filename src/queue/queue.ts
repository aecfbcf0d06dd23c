import { setTimeout as delay } from 'node:timers/promises';
import { type Aside, createAside } from './aside.ts';
import { type BullQueue, type BullWorker, openBackend, type QueueBackend } from './backend.ts';
import type { JobName, JobPayload, JobQueue } from './jobs.ts';
import { isJobName, parsePayload } from './payload.ts';
import { keepSchedules, type Schedules } from './schedules.ts';

/** What a processor is told besides its payload. */
export type JobContext = {
  /** Aborted when the process is asked to stop: finish what is in flight, claim nothing new. */
  readonly signal: AbortSignal;
  /** What is left of the job only waits for somebody's answer: another one may run in its place. Closing waits for it all the same. */
  letGo(): void;
};

/** One function for every job; the type makes a missing one an error. */
export type Processors = {
  readonly [Name in JobName]: (payload: JobPayload<Name>, context: JobContext) => Promise<void>;
};

/** Lanes are queues of their own, so that a confirmation never waits behind the digests of a million readers. */
export type Lane = 'notices' | 'digests' | 'chores';

const LANES: { readonly [Name in JobName]: Lane } = {
  'deliver-digests': 'digests',
  'deliver-notices': 'notices',
  plan: 'chores',
  sweep: 'chores',
  ingest: 'chores',
  embed: 'chores',
  upkeep: 'chores',
};

/** Workers of this process. */
export type RunningWorkers = {
  /**
   * Takes no further job, tells running ones to stop through their signal, waits for them at most `graceMs`
   * milliseconds. What was left is taken over by another worker once its lock has lapsed.
   * @returns false when something was still running at the end
   */
  close(graceMs: number): Promise<boolean>;
};

/** An open queue. */
export type OpenQueue = {
  readonly queue: JobQueue;
  /**
   * Starts working on all lanes.
   * @param options.concurrency jobs at once per lane (default notices 16: each is a message or a few, and they mostly wait; digests 2, chores 4)
   */
  startWorkers(
    processors: Processors,
    options?: { readonly concurrency?: Partial<Record<Lane, number>> },
  ): Promise<RunningWorkers>;
  /**
   * Keeps repeatable jobs scheduled (`{ plan: 60_000 }`: every 60 s), in the backend, once however many processes
   * ask; puts them back when the backend was flushed or the clock was set back. Ends with `close`.
   */
  schedule(schedules: Schedules): Promise<void>;
  /** Jobs of a lane that wait or run. */
  depth(lane: Lane): Promise<number>;
  /** Closes producers and schedules; close the workers first. */
  close(): Promise<void>;
};

/**
 * Opens the queue on PostgreSQL or Redis through BullMQ.
 * @param options.onError told of faults that jobs and producers don't see (a lost connection, a job that failed)
 * @throws the backend's error when it can't be reached
 */
export async function openQueue(
  backend: QueueBackend,
  options: { readonly onError?: (error: Error) => void } = {},
): Promise<OpenQueue> {
  const onError = options.onError ?? (() => undefined);
  const factory = await openBackend(backend);
  const lanes: Record<Lane, BullQueue> = {
    notices: factory.queue('notices'),
    digests: factory.queue('digests'),
    chores: factory.queue('chores'),
  };
  for (const lane of Object.values(lanes)) lane.on('error', onError);
  await Promise.all(Object.values(lanes).map((lane) => lane.waitUntilReady()));
  const schedules: { stop(): Promise<void> }[] = [];

  return {
    queue: { add: (name, payload, later) => addJob(lanes[LANES[name]], name, payload, later?.afterMs) },
    startWorkers: async (processors, { concurrency = {} } = {}) => {
      const limits = { notices: 16, digests: 2, chores: 4, ...concurrency };
      const stopping = new AbortController();
      const asides: Aside[] = [];
      const workers = (Object.keys(lanes) as Lane[]).map((lane) => {
        const aside = createAside({ limit: ASIDE, onError });
        asides.push(aside);
        return factory.worker(lane, limits[lane], createRunner(processors, stopping.signal, aside));
      });
      for (const worker of workers) {
        worker.on('error', onError);
        worker.on('failed', (_job, error) => onError(error));
      }
      try {
        await Promise.all(workers.map((worker) => worker.waitUntilReady()));
      } catch (error) {
        // Left alone they would take jobs as soon as they can, of a process that is about to give up.
        await closeWorkers(workers, asides, stopping, GIVE_UP_MS);
        throw error;
      }
      return { close: (graceMs) => closeWorkers(workers, asides, stopping, graceMs) };
    },
    schedule: async (wanted) => {
      schedules.push(await keepSchedules({ queue: lanes.chores, schedules: wanted, onError }));
    },
    depth: async (lane) => {
      const counts = await lanes[lane].getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    close: async () => {
      await Promise.all(schedules.map((schedule) => schedule.stop()));
      await Promise.all(Object.values(lanes).map((lane) => lane.close()));
    },
  };
}

/** A job that is there twice does no harm: the ledger gives each row to one claim only. */
async function addJob<Name extends JobName>(
  lane: BullQueue,
  name: Name,
  payload: JobPayload<Name>,
  afterMs?: number,
) {
  const data = parsePayload(name, payload);
  // A job may ask for itself again: without this two of them would be two for ever.
  const id = [name, ...Object.values(data)].join('-');
  const later = { delay: afterMs ?? 0, deduplication: { id, ttl: afterMs ?? 0 } };
  await lane.add(name, data, ...(afterMs === undefined ? [] : [later]));
}

/** Jobs of a lane that may wait for answers beside those that run. */
const ASIDE = 16;

const createRunner =
  (processors: Processors, signal: AbortSignal, aside: Aside) =>
  async (job: { name: string; data: unknown }): Promise<void> => {
    const { name } = job;
    if (!isJobName(name)) throw new Error(`No processor for a job called ${name}`);
    await aside.run((letGo) => runJob(processors, name, job.data, { signal, letGo }));
  };

const runJob = <Name extends JobName>(
  processors: Processors,
  name: Name,
  data: unknown,
  context: JobContext,
): Promise<void> => processors[name](parsePayload(name, data), context);

/** How long workers that could not be started are waited for, in milliseconds. */
const GIVE_UP_MS = 5_000;

async function closeWorkers(
  workers: readonly BullWorker[],
  asides: readonly Aside[],
  stopping: AbortController,
  graceMs: number,
) {
  stopping.abort();
  const closed = Promise.all(workers.map((worker) => worker.close()));
  const quiet = closed.then(() => Promise.all(asides.map((aside) => aside.quiet()))).then(() => true);
  const limit = new AbortController();
  const inTime = await Promise.race([
    quiet,
    delay(graceMs, false, { signal: limit.signal }).catch(() => false),
  ]);
  limit.abort();
  // BullMQ's close has no time limit and remembers its first call: what still runs is left to its lock.
  if (!inTime) quiet.catch(() => undefined);
  return inTime;
}
