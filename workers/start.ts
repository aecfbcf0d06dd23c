import { JOBS, type JobName } from '#src/queue/jobs.ts';
import type { OpenQueue, Processors, RunningWorkers } from '#src/queue/queue.ts';
import { embed, ingest, plan, sweep, upkeep } from './chores.ts';
import { deliverDigests } from './deliver-digests.ts';
import { deliverNotices } from './deliver-notices.ts';
import type { Processor, WorkerUseCases } from './processor.ts';

/** Every processor of the service. */
export const PROCESSORS: readonly Pick<Processor, 'name' | 'create'>[] = [
  deliverDigests,
  deliverNotices,
  plan,
  sweep,
  ingest,
  embed,
  upkeep,
];

/** How often the repeatable jobs run, in milliseconds. */
export const SCHEDULES = {
  plan: 60_000,
  sweep: 60_000,
  ingest: 15 * 60_000,
  embed: 5 * 60_000,
  upkeep: 60 * 60_000,
} as const;

/**
 * Binds processors to use cases.
 * @throws Error when a job has no processor, or two: a job without one would wait for ever
 */
export function bindProcessors(
  useCases: WorkerUseCases,
  processors: readonly Pick<Processor, 'name' | 'create'>[] = PROCESSORS,
): Processors {
  const faults = (Object.keys(JOBS) as JobName[]).flatMap((name) => {
    const count = processors.filter((processor) => processor.name === name).length;
    return count === 1 ? [] : [`job "${name}" has ${count === 0 ? 'no processor' : `${count} processors`}`];
  });
  if (faults.length > 0) throw new Error(`Workers can't start: ${faults.join(', ')}. See workers/start.ts.`);
  return Object.fromEntries(
    processors.map((processor) => [processor.name, processor.create(useCases)]),
  ) as Processors;
}

/** How often the journals of this machine are looked at for killed processes, and leases that have run out, in milliseconds. */
const SETTLE_EVERY_MS = 5_000;

/** How long workers are waited for when the process can't start, in milliseconds. */
const GIVE_UP_MS = 5_000;

/**
 * Starts the workers of this process, and keeps the repeatable jobs scheduled. First it settles what killed processes
 * of this machine left behind, so that nothing of it is touched by the new work.
 */
export async function startWorkers(deps: {
  readonly queue: OpenQueue;
  readonly useCases: WorkerUseCases;
  /** `deliver-digests` jobs at once (default 2). */
  readonly concurrency?: number;
}): Promise<RunningWorkers> {
  const processors = bindProcessors(deps.useCases);
  await settle(deps.useCases);
  // Before anything is planned in a new database. Where somebody is in the way upkeep does it.
  await deps.useCases.makePartitions().catch(() => undefined);
  const workers = await deps.queue.startWorkers(processors, {
    concurrency: { digests: deps.concurrency ?? 2 },
  });
  try {
    await deps.queue.schedule(SCHEDULES);
  } catch (error) {
    // A process that gives up must not go on taking jobs: it could do none of them.
    await workers.close(GIVE_UP_MS);
    throw error;
  }
  // A fault of the database: the next look settles it.
  const watch = watchLeases(deps.useCases);
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    await settle(deps.useCases).catch(() => undefined);
    await watch().catch(() => undefined);
    looking = false;
  };
  const timer = setInterval(() => void look(), SETTLE_EVERY_MS);
  return {
    close: (graceMs) => {
      clearInterval(timer);
      return workers.close(graceMs);
    },
  };
}

async function settle(useCases: WorkerUseCases): Promise<void> {
  const { claims } = await useCases.settleJournals();
  // What was given back needs jobs again.
  if (claims > 0) await useCases.sweep();
}

/** A sweep reads the whole of what is open: leases that keep running out ask for one no more often than this, in milliseconds. */
const SWEEP_AFTER_MS = 20_000;

/** Ends leases that have run out, and has what is free then delivered. */
function watchLeases(useCases: WorkerUseCases): () => Promise<void> {
  let pending = false;
  let swept = Number.NEGATIVE_INFINITY;
  return async () => {
    const { released, resent } = await useCases.watchLeases();
    pending ||= released + resent > 0;
    if (!pending || performance.now() - swept < SWEEP_AFTER_MS) return;
    pending = false;
    swept = performance.now();
    await useCases.sweep();
  };
}
