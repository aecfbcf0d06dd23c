import type { BullQueue } from './backend.ts';
import type { JobName } from './jobs.ts';
import { parsePayload } from './payload.ts';

/** Repeatable jobs without parameters, and how often they run, in milliseconds. */
export type Schedules = { readonly [Name in Exclude<JobName, `deliver-${string}`>]?: number };

/** How soon a look that failed is done again, in milliseconds: without its schedules nothing is planned or swept. */
const AGAIN_MS = 2_000;

/**
 * Keeps BullMQ job schedulers in place. BullMQ plans the next run when one is taken; a flushed Redis, or a clock set
 * back by an hour, would therefore end (or pause) a schedule for good: a look every half minute puts it right. A backend that
 * takes nothing at the moment is no reason not to begin: it is asked again.
 */
export async function keepSchedules(deps: {
  queue: BullQueue;
  schedules: Schedules;
  onError: (error: Error) => void;
  /** How often to look, and how soon again after a fault, in milliseconds of the monotonic clock. */
  lookEveryMs?: number;
  againMs?: number;
}): Promise<{ stop(): Promise<void> }> {
  const wanted = Object.entries(deps.schedules) as [keyof Schedules, number][];
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    let pause = deps.lookEveryMs ?? 30_000;
    try {
      for (const [name, every] of wanted) await keepOne(deps.queue, name, every);
    } catch (error) {
      deps.onError(error as Error);
      pause = deps.againMs ?? AGAIN_MS;
    }
    if (!stopped) timer = setTimeout(lookAgain, pause);
  };
  let looking: Promise<void> = Promise.resolve();
  const lookAgain = () => {
    looking = look();
  };
  await look();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

async function keepOne(queue: BullQueue, name: keyof Schedules, every: number): Promise<void> {
  const known = await queue.getJobScheduler(name);
  if (known && isSound(known, every)) return;
  // Only removing it takes a delayed job far in the future away.
  if (known) await queue.removeJobScheduler(name);
  await queue.upsertJobScheduler(name, { every }, { name, data: parsePayload(name, {}) });
}

/** A schedule is sound when it has this interval and its next run is neither long overdue nor too far away. */
const isSound = (known: { every?: number; next?: number }, every: number) =>
  known.every === every &&
  known.next !== undefined &&
  Math.abs(known.next - Date.now()) <= 3 * every + 60_000;
