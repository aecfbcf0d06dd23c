import { sql } from 'kysely';
import { bigints, PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, SubscriberId } from '#src/database/ids.ts';
import type { Preferences } from './subscriber.ts';
import {
  findSubscriber,
  fromRow,
  PREFERENCE_COLUMNS,
  preferencesOf,
  type StoredSubscriber,
  selectSubscribers,
} from './subscriber-store.ts';

/** A due reader: what planning needs. `nextDigestAt` is the slot that is due. */
export type DueSubscriber = Preferences & {
  readonly id: SubscriberId;
  readonly nextDigestAt: Date;
  /** This will be the first digest. */
  readonly welcomeDue: boolean;
};

/**
 * Claims readers whose digest is due, the longest due first, for the length of the caller's transaction:
 * rows that another planner holds are passed over (`FOR UPDATE SKIP LOCKED`). Move them on with
 * {@link setNextDigestAt} in the same transaction. Held is the schedule, not the reader: who leaves or pauses meanwhile
 * waits for the planner to take the schedule away, and is left out when the digest is handed over.
 * @param now readers with `next_digest_at` at or before it are due
 */
export async function claimDue(tx: Queryable, now: Date, limit: number): Promise<DueSubscriber[]> {
  const rows = await tx
    .selectFrom('schedules')
    .innerJoin('subscribers', 'subscribers.id', 'schedules.subscriber_id')
    .select([...PREFERENCE_COLUMNS, 'id', 'welcome_due', 'schedules.next_digest_at'])
    .where('state', '=', 'active')
    .where('schedules.next_digest_at', '<=', now)
    .orderBy('schedules.next_digest_at')
    .orderBy('schedules.subscriber_id')
    .limit(limit)
    .forUpdate('schedules')
    .skipLocked()
    .execute();
  return rows.map((row) => ({
    ...preferencesOf(row),
    id: row.id as SubscriberId,
    nextDigestAt: row.next_digest_at,
    welcomeDue: row.welcome_due,
  }));
}

/** One active reader as {@link claimDue} would claim it, whatever `next_digest_at` says; null when there is none. */
export async function claimOne(tx: Queryable, id: SubscriberId): Promise<DueSubscriber | null> {
  const subscriber = await findSubscriber(tx, { id }, { lock: true });
  if (subscriber?.state !== 'active') return null;
  // Read anew: a planner that held it has moved it on.
  const schedule = await tx
    .selectFrom('schedules')
    .select('next_digest_at')
    .where('subscriber_id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return schedule ? { ...subscriber, nextDigestAt: schedule.next_digest_at } : null;
}

/** Moves `next_digest_at` of many readers in one statement; `welcomed`: this was the first digest. */
export async function setNextDigestAt(
  tx: Queryable,
  rows: readonly { readonly id: SubscriberId; readonly nextDigestAt: Date; readonly welcomed?: boolean }[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = bigints(rows.map((row) => row.id));
  await sql`${PREPARED}
    update schedules set next_digest_at = to_timestamp(moved.ms::float8 / 1000)
    from unnest(${ids}, ${bigints(rows.map((row) => row.nextDigestAt.getTime()))}) as moved (id, ms)
    -- the second says nothing new, but keeps the planner from reading a small table whole
    where schedules.subscriber_id = moved.id and schedules.subscriber_id = any (${ids})`.execute(tx);
  const welcomed = rows.filter((row) => row.welcomed).map((row) => row.id);
  if (welcomed.length > 0)
    await sql`update subscribers set welcome_due = false where id = any (${bigints(welcomed)})`.execute(tx);
}

/** Paused readers whose pause has an end on or before `date`, locked for the caller's transaction. */
export async function claimEndedPauses(
  tx: Queryable,
  date: IsoDate,
  limit: number,
): Promise<StoredSubscriber[]> {
  const rows = await selectSubscribers(tx)
    .where('state', '=', 'paused')
    .where('paused_until', '<=', date)
    .orderBy('paused_until')
    .limit(limit)
    .forUpdate('subscribers')
    .skipLocked()
    .execute();
  return rows.map(fromRow);
}

/** How many active readers should have been planned before `before`, and since when the first of them waits; null when none does. */
export async function countOverdue(
  db: Queryable,
  before: Date,
): Promise<{ readonly count: number; readonly since: Date | null }> {
  const { rows } = await sql<{ count: number; since: Date | null }>`
    select count(*)::int as count, min(s.next_digest_at) as since
    from schedules s join subscribers r on r.id = s.subscriber_id
    where s.next_digest_at < ${before} and r.state = 'active'`.execute(db);
  return rows[0] ?? { count: 0, since: null };
}
