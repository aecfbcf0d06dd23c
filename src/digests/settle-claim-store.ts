import { sql } from 'kysely';
import { bigints } from '#src/database/columns.ts';
import type { Database } from '#src/database/database.ts';
import type { DigestId, IsoDate } from '#src/database/ids.ts';
import { IS_OPEN } from './block-store.ts';
import { blockOf } from './ranges.ts';

/** A claim whose process died, as its journal has it. */
export type BrokenClaim = {
  readonly editionDate: IsoDate;
  readonly leaseToken: number;
  /** Lowest and highest id. */
  readonly from: number;
  readonly to: number;
  /** Rows whose content was begun, without an answer known. */
  readonly begun: readonly DigestId[];
};

/** See `RecoveryStore.settleClaim`. */
export async function settleClaim(
  database: Database,
  { editionDate, leaseToken, from, to, begun }: BrokenClaim,
  now: Date,
): Promise<{ unknown: number; released: number }> {
  const blocks = sql`b.first_id between ${blockOf(from)} and ${to} and b.edition_date = ${editionDate}::date`;
  const isBegun = sql`d.id = any (${bigints(begun)})`;
  return database.transaction().execute(async (tx) => {
    // Nobody takes or gives up anything of the claim between this look at it and what is done with its rows.
    const { rows: locked } = await sql<{ leaseToken: number | null; claimedAt: Date | null }>`
      select b.lease_token as "leaseToken", b.claimed_at as "claimedAt" from digest_blocks b where ${blocks}
      order by b.first_id for update`.execute(tx);
    const held = locked.find((block) => block.leaseToken === leaseToken);
    // A sweep elsewhere may have been faster and given rows up: what was not begun is taken back from it.
    const { rows } = await sql<{ unknown: number; released: number }>`
      with settled as (
        update digests d
        set state = case when ${isBegun} then 'unknown' else 'planned' end, in_doubt = ${isBegun},
            reply = case when ${isBegun} then 'the worker was killed while this message was on the wire' else d.reply end,
            finished_at = case when ${isBegun} then ${now}::timestamptz end,
            attempts = d.attempts + (${isBegun})::int - d.in_doubt::int,
            handed_over_at = coalesce(d.handed_over_at, ${held?.claimedAt ?? null}::timestamptz),
            lease_token = case when ${isBegun} then ${leaseToken}::bigint end, lease_until = null
        where d.id between ${from} and ${to} and d.edition_date = ${editionDate}::date
          and (${IS_OPEN} and ${isBegun} and exists (
                 select from digest_blocks b
                 where ${blocks} and b.lease_token = ${leaseToken} and b.handed @> d.id
               ) or d.in_doubt and d.lease_token = ${leaseToken}
               and (d.state = 'handed_over' or not ${isBegun}))
        returning d.state
      ), free as (
        select count(*) as n from digests d
        where d.id between ${from} and ${to} and d.edition_date = ${editionDate}::date and ${held !== undefined}
          and ${IS_OPEN} and not ${isBegun} and d.due_at <= ${now}
      ), released as (
        update digest_blocks b
        set open = true, version = b.version + 1,
            lease_until = case when b.lease_token = ${leaseToken} then null else b.lease_until end,
            handed = case when b.lease_token = ${leaseToken} then '{}' else b.handed end,
            lease_token = nullif(b.lease_token, ${leaseToken})
        where ${blocks}
      )
      select count(*) filter (where state = 'unknown') as unknown,
             count(*) filter (where state = 'planned') + (select n from free) as released from settled`.execute(
      tx,
    );
    return { unknown: rows[0]?.unknown ?? 0, released: rows[0]?.released ?? 0 };
  });
}
