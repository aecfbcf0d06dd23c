import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate } from '#src/database/ids.ts';
import { IN_B, IS_OPEN } from './block-store.ts';
import { BLOCK_SIZE } from './ranges.ts';

/** What of the ledger is not done, at an instant. */
export type WaitingDigests = {
  /** Planned or put off, and due. */
  readonly due: number;
  /** Since when the first of them is due; null when none is. */
  readonly dueSince: Date | null;
  /** Put off by a relay, due or not. */
  readonly deferred: number;
  /** What the relay said to the one put off last. */
  readonly reply: string | null;
  /** Whose fate nobody knows. */
  readonly unknown: number;
  /** The oldest edition of these; null when there are none. */
  readonly unknownSince: IsoDate | null;
};

/** Counts them by the blocks that are open and by what is in doubt: the rest of the ledger isn't looked at. */
export async function selectWaitingDigests(database: Database, at: Date): Promise<WaitingDigests> {
  const { rows } = await sql<WaitingDigests>`
    with open as materialized (
      -- a block at a time, which the limit tells the planner
      select d.state, d.due_at, d.reply from digest_blocks b
      cross join lateral (
        select d.state, d.due_at, d.reply from digests d where ${IN_B} and ${IS_OPEN} limit ${BLOCK_SIZE}) as d
      where b.open),
    doubtful as (select edition_date from digests where in_doubt and state = 'unknown')
    select (count(*) filter (where due_at <= ${at}))::int as due, min(due_at) filter (where due_at <= ${at}) as "dueSince",
      (count(*) filter (where state = 'deferred'))::int as deferred,
      (select reply from open where state = 'deferred' order by due_at desc limit 1) as reply,
      (select count(*)::int from doubtful) as unknown, (select min(edition_date) from doubtful) as "unknownSince"
    from open`.execute(database);
  if (!rows[0]) throw new Error('an aggregate without a row');
  return rows[0];
}
