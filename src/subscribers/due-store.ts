import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, SubscriberId } from '#src/database/ids.ts';
import type { Preferences } from './subscriber.ts';
import { findSubscriber, fromRow, type StoredSubscriber, selectSubscribers } from './subscriber-store.ts';

/** A due reader: what planning needs. `nextDigestAt` is the slot that is due. */
export type DueSubscriber = Preferences & {
  readonly id: SubscriberId;
  readonly nextDigestAt: Date;
  readonly confirmedAt: Date | null;
  /** This will be the first digest. */
  readonly welcomeDue: boolean;
};

/**
 * Claims readers whose digest is due, the longest due first, for the length of the caller's transaction:
 * rows that another planner holds are passed over (`FOR UPDATE SKIP LOCKED`). Move them on with
 * {@link setNextDigestAt} in the same transaction.
 * @param now readers with `next_digest_at` at or before it are due
 */
export async function claimDue(tx: Queryable, now: Date, limit: number): Promise<DueSubscriber[]> {
  const rows = await selectSubscribers(tx)
    .where('state', '=', 'active')
    .where('next_digest_at', '<=', now)
    .orderBy('next_digest_at')
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map((row) => ({ ...fromRow(row), nextDigestAt: row.next_digest_at as Date }));
}

/** One active reader as {@link claimDue} would claim it, whatever `next_digest_at` says; null when there is none. */
export async function claimOne(tx: Queryable, id: SubscriberId): Promise<DueSubscriber | null> {
  const subscriber = await findSubscriber(tx, { id }, { lock: true });
  if (subscriber?.state !== 'active' || !subscriber.nextDigestAt) return null;
  return { ...subscriber, nextDigestAt: subscriber.nextDigestAt };
}

/** Moves `next_digest_at` of many readers in one statement. */
export async function setNextDigestAt(
  tx: Queryable,
  rows: readonly { readonly id: SubscriberId; readonly nextDigestAt: Date | null }[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.id);
  const times = rows.map((row) => row.nextDigestAt?.toISOString() ?? null);
  await sql`
    update subscribers set next_digest_at = moved.at, welcome_due = false
    from unnest(${ids}::bigint[], ${times}::timestamptz[]) as moved (id, at)
    where subscribers.id = moved.id`.execute(tx);
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
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(fromRow);
}
