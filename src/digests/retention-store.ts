import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import { dropPartitions, monthsBefore } from './partition-store.ts';

/** What {@link pruneLedger} removed. */
export type PrunedLedger = {
  /** Months, as their first days. */
  readonly months: readonly IsoDate[];
  /** Rows outside of monthly partitions. */
  readonly rows: number;
  /** Blocks. */
  readonly blocks: number;
  /** The tables were in use: the next try goes on. */
  readonly busy: boolean;
};

/** Rows of one statement: each is short, and none holds up a worker. */
const BATCH = 1_000;
/** Who needs the ledger waits for us this long at most, in milliseconds. */
const LOCK_MS = 1_000;
/** SQLSTATE lock_not_available. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Removes editions that are more than `days` days old, with the contents of their digests: whole months, since a
 * partition that is dropped costs nothing, where deleting its rows would cost as much as writing them. So a digest stays
 * for `days` days, and up to a month longer. A digest that is still in doubt stays until the operator settles it.
 * Safe from several processes at once.
 * @param now a date must be old by this clock and by the database's: one that is set wrong must not empty the ledger
 */
export async function pruneLedger(
  database: Database,
  { days, now }: { readonly days: number; readonly now: Date },
): Promise<PrunedLedger> {
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(database);
  const today = new Date(Math.min(now.getTime(), rows[0]?.at.getTime() ?? 0));
  const before = addDays(utcDate(today), -days);
  const months: IsoDate[] = [];
  let busy = false;
  for (const month of await monthsBefore(database, before)) {
    busy = !(await dropIfFree(database, month));
    if (busy) break;
    months.push(month);
  }
  return {
    months,
    busy,
    rows: await pruneRest(database, before),
    blocks: await pruneBlocks(database, before),
  };
}

/** @returns false when the tables are in use */
async function dropIfFree(database: Database, month: IsoDate): Promise<boolean> {
  try {
    await dropPartitions(database, month, LOCK_MS);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

/** What came into the ledger before its month had a partition, or was in doubt when that was dropped. */
async function pruneRest(database: Database, before: IsoDate): Promise<number> {
  await inBatches(() =>
    sql`
    delete from digest_contents_default where (first_id, edition_date) in (
      select first_id, edition_date from digest_contents_default where edition_date < ${before}::date limit ${BATCH}
    )`.execute(database),
  );
  return inBatches(() =>
    sql`
    delete from digests_default where not in_doubt and (id, edition_date) in (
      select id, edition_date from digests_default where edition_date < ${before}::date and not in_doubt limit ${BATCH}
    )`.execute(database),
  );
}

/** A block is made again when something of it is put back to be sent. */
const pruneBlocks = (database: Database, before: IsoDate): Promise<number> =>
  inBatches(() =>
    sql`
    delete from digest_blocks where lease_token is null and not open and (first_id, edition_date) in (
      select first_id, edition_date from digest_blocks
      where edition_date < ${before}::date and lease_token is null and not open
      limit ${BATCH} for update skip locked
    )`.execute(database),
  );

async function inBatches(remove: () => Promise<{ readonly numAffectedRows?: bigint }>): Promise<number> {
  for (let total = 0; ; ) {
    const removed = Number((await remove()).numAffectedRows ?? 0);
    total += removed;
    if (removed < BATCH) return total;
  }
}
