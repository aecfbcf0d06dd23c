import type { Database, Queryable } from '#src/database/database.ts';
import type { IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { JobQueue } from '#src/queue/jobs.ts';
import { type ChooseDeps, type DueReader, firstSlotAfter, planReaders } from './choose-content.ts';
import type { PlannedDigest, SkipReason } from './digest.ts';
import type { InsertedDigest } from './ledger.ts';
import { digestRanges } from './ranges.ts';
import { remindersIn } from './reminders.ts';

/** What the planner uses of the other rooms. */
export type PlannerDeps = ChooseDeps & {
  readonly database: Database;
  readonly now: () => Date;
  readonly claimDue: (tx: Queryable, now: Date, limit: number) => Promise<readonly DueReader[]>;
  /** Locks one active reader, whatever `next_digest_at` says; null when there is none. */
  readonly claimOne: (tx: Queryable, id: SubscriberId) => Promise<DueReader | null>;
  readonly setNextDigestAt: (
    tx: Queryable,
    rows: readonly { id: SubscriberId; nextDigestAt: Date; welcomed: boolean }[],
  ) => Promise<void>;
  /** Writes rows; one that the reader already has for the edition is left out of the answer. */
  readonly writeDigests: (
    tx: Queryable,
    rows: readonly PlannedDigest[],
  ) => Promise<readonly InsertedDigest[]>;
  /** Notes that reminders of papers are under way. */
  readonly markReminded: (
    tx: Queryable,
    rows: readonly { readonly subscriber: SubscriberId; readonly paper: PaperId }[],
    at: Date,
  ) => Promise<void>;
  readonly queue: JobQueue;
};

/** What one beat did. */
export type PlanReport = {
  /** Readers whose hour had come. */
  readonly due: number;
  /** Digests put on the ledger for delivery. */
  readonly planned: number;
  /** Readers who get none, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** Readers who already had a digest of that edition. */
  readonly repeated: number;
};

/** Plans digests: see {@link createPlanner}. */
export type Planner = {
  /** Plans everyone who is due now, in batches, until nobody is left or `signal` is aborted (between batches). */
  planDue(options?: { readonly signal?: AbortSignal; progress?(done: number): void }): Promise<PlanReport>;
  /**
   * Plans one reader's digest of today at once (the first one, or one an operator sends by hand); the next comes the
   * day after.
   * @returns `already` when the reader has a digest of today's edition, `gone` when there is no such active reader
   */
  planNow(id: SubscriberId): Promise<'planned' | 'skipped' | 'already' | 'gone'>;
  /** What a reader would get for a date (default: today where they live), without planning it; null: no active reader. */
  preview(id: SubscriberId, editionDate?: IsoDate): Promise<PlannedDigest | null>;
};

const BATCH = 500;
const HOUR_MS = 3_600_000;

/**
 * The planner. Each batch is one transaction: readers are claimed (`FOR UPDATE SKIP LOCKED`), ranked, their ledger
 * rows written and their next hour set, or nothing of it. Two planners at once share the readers between them;
 * `UNIQUE (subscriber_id, edition_date)` is the last guard. Jobs are enqueued after the commit; if that fails the
 * sweep finds the rows.
 */
export function createPlanner(deps: PlannerDeps): Planner {
  const inTurn = createTurns();
  return {
    async planDue({ signal, progress } = {}) {
      const total: Tally = { due: 0, planned: 0, repeated: 0, skipped: {} };
      while (!signal?.aborted) {
        const batch = await inTurn(() => planBatch(deps));
        addTo(total, batch);
        if (batch.due > 0) progress?.(total.due);
        if (batch.due < BATCH) break;
      }
      return total;
    },
    planNow: (id) => inTurn(() => planOne(deps, id)),
    preview: (id, editionDate) => inTurn(() => preview(deps, id, editionDate)),
  };
}

/**
 * Does one work at a time, first come, first served. A planning transaction holds a connection while the index takes
 * others: as many at once as the pool has connections would wait for each other.
 */
function createTurns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

type Tally = { due: number; planned: number; repeated: number; skipped: Partial<Record<SkipReason, number>> };

function addTo(total: Tally, batch: Tally): void {
  total.due += batch.due;
  total.planned += batch.planned;
  total.repeated += batch.repeated;
  for (const [reason, count] of Object.entries(batch.skipped) as [SkipReason, number][])
    total.skipped[reason] = (total.skipped[reason] ?? 0) + count;
}

async function planBatch(deps: PlannerDeps): Promise<Tally> {
  const now = deps.now();
  const { due, rows, written } = await deps.database.transaction().execute(async (tx) => {
    const due = await deps.claimDue(tx, now, BATCH);
    const rows = await planReaders(deps, tx, due, now);
    const written = await deps.writeDigests(tx, rows);
    await deps.markReminded(tx, remindersIn(rows, written), now);
    await moveOn(deps, tx, due, rows, now);
    return { due, rows, written };
  });
  return enqueue(deps, due.length, rows, written);
}

/** Puts what was planned on the queue and counts. */
async function enqueue(
  deps: PlannerDeps,
  due: number,
  rows: readonly PlannedDigest[],
  written: readonly InsertedDigest[],
): Promise<Tally> {
  const reasons = new Map(rows.map((row) => [row.subscriberId, row.skip]));
  const tally: Tally = { due, planned: 0, repeated: rows.length - written.length, skipped: {} };
  for (const { subscriberId } of written) {
    const skip = reasons.get(subscriberId);
    if (skip) tally.skipped[skip] = (tally.skipped[skip] ?? 0) + 1;
    else tally.planned++;
  }
  // A queue out of reach must not turn what is committed into an error: the sweep makes the jobs again.
  for (const range of digestRanges(written))
    await deps.queue.add('deliver-digests', range).catch(() => undefined);
  return tally;
}

async function planOne(
  deps: PlannerDeps,
  id: SubscriberId,
): Promise<'planned' | 'skipped' | 'already' | 'gone'> {
  const now = deps.now();
  const outcome = await deps.database.transaction().execute(async (tx) => {
    const reader = await deps.claimOne(tx, id);
    if (!reader) return null;
    const [row] = await planReaders(deps, tx, [{ ...reader, nextDigestAt: now }], now);
    if (!row) throw new Error(`nothing planned for subscriber ${id}`);
    const written = await deps.writeDigests(tx, [row]);
    await deps.markReminded(tx, remindersIn([row], written), now);
    await moveOn(deps, tx, [reader], [row], now);
    return { row, written };
  });
  if (!outcome) return 'gone';
  const tally = await enqueue(deps, 1, [outcome.row], outcome.written);
  if (tally.repeated > 0) return 'already';
  return tally.planned > 0 ? 'planned' : 'skipped';
}

function preview(deps: PlannerDeps, id: SubscriberId, on?: IsoDate): Promise<PlannedDigest | null> {
  // Of a date gone by: as it was when the last zone was through with it.
  const over = on === undefined ? Number.POSITIVE_INFINITY : Date.parse(`${on}T12:00:00Z`) + 24 * HOUR_MS;
  const now = new Date(Math.min(deps.now().getTime(), over));
  return deps.database.transaction().execute(async (tx) => {
    const reader = await deps.claimOne(tx, id);
    if (!reader) return null;
    const [planned] = await planReaders(deps, tx, [{ ...reader, nextDigestAt: now }], now, on);
    return planned ?? null;
  });
}

/** Sets the next hour of readers who have just been planned. */
async function moveOn(
  deps: PlannerDeps,
  tx: Queryable,
  readers: readonly DueReader[],
  rows: readonly PlannedDigest[],
  now: Date,
): Promise<void> {
  const dates = new Map(rows.map((row) => [row.subscriberId, row.editionDate]));
  const next = readers.map((reader) => ({
    id: reader.id,
    nextDigestAt: firstSlotAfter(reader, dates.get(reader.id), now),
    welcomed: reader.welcomeDue,
  }));
  await deps.setNextDigestAt(tx, next);
}
