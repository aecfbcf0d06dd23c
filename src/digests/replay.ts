import { addDays, type IsoDate } from '#src/database/ids.ts';
import type { PlanReport } from './plan.ts';

/** A clock that stands until it is set. */
export type ManualClock = { now(): Date; set(at: Date): void };

/** Makes a {@link ManualClock}. */
export function createManualClock(start: Date): ManualClock {
  let at = start.getTime();
  return {
    now: () => new Date(at),
    set: (next) => {
      at = next.getTime();
    },
  };
}

/** What the replay drives: the service's own parts, on its clock. */
export type ReplayDeps = {
  readonly clock: ManualClock;
  /** Ingests what was recorded of a day. */
  readonly ingestDay: (day: IsoDate) => Promise<void>;
  /** The earliest instant at which any reader is due; null when nobody ever is. */
  readonly nextDue: () => Promise<Date | null>;
  readonly planDue: () => Promise<PlanReport>;
  /** Delivers all that is planned and due; resolves when nothing is left. */
  readonly deliverAll: () => Promise<void>;
  /** Where an interrupted replay of the same folder had come to; null at the first start. */
  readonly checkpoint: Date | null;
  /** Remembers that everything before this instant is done; what belongs to the instant itself may be. */
  readonly saveCheckpoint: (at: Date) => Promise<void>;
  /** Told once a day of the clock. */
  readonly progress?: (daysDone: number, days: number) => void;
};

const DAY_MS = 86_400_000;
/** The planner's beat, as in the service. */
export const BEAT_MS = 60_000;

/**
 * Replays recorded days with the real planner and deliverer: from 00:00 UTC of `from` to the end of `to`. At each
 * midnight the day's recordings come in; between them the clock jumps from one beat at which somebody is due to the
 * next. Goes on where an earlier run was stopped.
 */
export async function replay(deps: ReplayDeps, from: IsoDate, to: IsoDate): Promise<void> {
  const start = Date.parse(`${from}T00:00:00Z`);
  const days = Math.round((Date.parse(`${to}T00:00:00Z`) - start) / DAY_MS) + 1;
  const resumed = deps.checkpoint?.getTime() ?? start;
  for (let day = 0; day < days; day++) {
    const midnight = start + day * DAY_MS;
    if (midnight + DAY_MS <= resumed) continue;
    deps.clock.set(new Date(Math.max(midnight, resumed)));
    await deps.ingestDay(addDays(from, day));
    await deps.deliverAll();
    await replayDay(deps, midnight + DAY_MS);
    await deps.saveCheckpoint(new Date(midnight + DAY_MS));
    deps.progress?.(day + 1, days);
  }
}

async function replayDay(deps: ReplayDeps, end: number): Promise<void> {
  for (;;) {
    const due = await deps.nextDue();
    if (due === null) return;
    const beat = Math.max(Math.ceil(due.getTime() / BEAT_MS) * BEAT_MS, deps.clock.now().getTime());
    if (beat >= end) return;
    deps.clock.set(new Date(beat));
    // Before the beat: one that is cut short is gone through again at its own hour, not at the next one's.
    await deps.saveCheckpoint(new Date(beat));
    await deps.planDue();
    await deps.deliverAll();
  }
}
