import { SchemaMigrationRequiredError } from 'bullmq';
import { type BullQueue, backendAsItIs, type QueueBackend } from './backend.ts';
import type { Lane } from './queue.ts';

/** How the queue is, as seen from beside it. */
export type QueueLook = {
  /** In the order of their priority. */
  readonly lanes: readonly LaneLook[];
  /** Repeatable jobs that were ever scheduled. */
  readonly schedules: readonly ScheduleLook[];
};

/** How a lane is. */
export type LaneLook = {
  readonly lane: Lane;
  /** Connected now; null where the server doesn't tell. */
  readonly workers: number | null;
  /** Jobs that wait, and that run. */
  readonly waiting: number;
  readonly active: number;
  /** Failed for good; the last 500 are kept. */
  readonly failed: number;
};

/** How a repeatable job is. */
export type ScheduleLook = {
  readonly name: string;
  readonly everyMs: number;
  /** When it runs next: moved on whenever a worker takes it, so that a time long past means that none does. */
  readonly nextAt: Date;
};

const LANES: readonly Lane[] = ['notices', 'digests', 'chores'];

/**
 * Looks at the queue without changing it; null where PostgreSQL has no tables of it yet.
 * @throws the backend's error; for PostgreSQL also where BullMQ's tables are of a newer version
 */
export async function lookAtQueue(backend: QueueBackend): Promise<QueueLook | null> {
  const factory = backendAsItIs(backend);
  const queues = LANES.map((lane) => ({ lane, queue: factory.queue(lane) }));
  try {
    // Faults come by the promises.
    for (const { queue } of queues) queue.on('error', () => undefined);
    await Promise.all(queues.map(({ queue }) => queue.waitUntilReady()));
    const lanes = await Promise.all(queues.map(({ lane, queue }) => lookAtLane(lane, queue)));
    const chores = queues.find(({ lane }) => lane === 'chores');
    return { lanes, schedules: chores ? await lookAtSchedules(chores.queue) : [] };
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return null;
    throw error;
  } finally {
    await Promise.allSettled(queues.map(({ queue }) => queue.close()));
  }
}

async function lookAtLane(lane: Lane, queue: BullQueue): Promise<LaneLook> {
  const [counts, workers] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'failed'),
    queue.getWorkersCount().catch(() => null),
  ]);
  const { waiting = 0, prioritized = 0, active = 0, failed = 0 } = counts;
  return { lane, workers, waiting: waiting + prioritized, active, failed };
}

async function lookAtSchedules(queue: BullQueue): Promise<ScheduleLook[]> {
  const known = await queue.getJobSchedulers(0, -1);
  return known.flatMap(({ key, every, next }) =>
    every !== undefined && next !== undefined
      ? [{ name: key, everyMs: Number(every), nextAt: new Date(next) }]
      : [],
  );
}
