import { type RawBuilder, sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { NoticeId } from '#src/database/ids.ts';
import type { BrokenNoticeClaim } from './notice-store.ts';

/** See `NoticeStore.settleClaim`. */
export async function settleNotices(database: Database, { leaseToken, begun }: BrokenNoticeClaim, now: Date) {
  const isBegun = sql`id = any (${[...begun]}::bigint[])`;
  // A sweep elsewhere may have been faster and given some up: what was not begun is taken back from it.
  const { rows } = await sql<{ id: NoticeId; state: string }>`
    update notices
    set state = case when ${isBegun} then 'unknown' else 'planned' end, lease_until = null,
        attempts = attempts - (not ${isBegun} and state <> 'claimed')::int,
        finished_at = case when ${isBegun} then ${now}::timestamptz end,
        reply = case when ${isBegun} then 'the worker was killed while this message was on the wire' else reply end
    where lease_token = ${leaseToken}
      and (state in ('claimed', 'handed_over') or state = 'unknown' and not ${isBegun})
    returning id, state`.execute(database);
  const freed = rows.filter((row) => row.state === 'planned').map((row) => row.id);
  return { unknown: rows.length - freed.length, freed };
}

/** See `NoticeStore.idleHolders`. */
export async function selectIdleHolders(database: Database): Promise<string[]> {
  const { rows } = await sql<{ holder: string }>`
    select distinct holder from notices where state = 'claimed' and holder is not null`.execute(database);
  return rows.map((row) => row.holder);
}

/** Tokens under which `holder` has notices that were not handed over. */
export async function selectIdleTokens(database: Database, holder: string | null): Promise<number[]> {
  const { rows } = await sql<{ token: number }>`
    select distinct lease_token as token from notices where state = 'claimed' and holder = ${holder}`.execute(
    database,
  );
  return rows.map((row) => row.token);
}

/**
 * Frees notices that were claimed and not handed over. A hand-over that the server does after its client's death comes
 * first, and keeps its notice, or finds it free.
 * @param whose a condition on `notices`
 */
export async function releaseWhere(database: Database, whose: RawBuilder<unknown>): Promise<NoticeId[]> {
  const { rows } = await sql<{ id: NoticeId }>`
    update notices set state = 'planned', lease_until = null where state = 'claimed' and ${whose}
    returning id`.execute(database);
  return rows.map((row) => row.id);
}

/** See `NoticeStore.recover`. */
export async function recoverNotices(
  database: Database,
  options: { readonly resend: boolean; readonly waitMs: number },
  now: Date,
): Promise<NoticeId[]> {
  const before = new Date(now.getTime() - options.waitMs);
  await sql`
    update notices set state = case state when 'claimed' then 'planned' else 'unknown' end, lease_until = null,
           finished_at = case state when 'claimed' then null else ${now}::timestamptz end,
           reply = case state when 'claimed' then reply else 'lease ran out after hand-over' end
    where state in ('claimed', 'handed_over') and lease_until < clock_timestamp()`.execute(database);
  if (options.resend)
    await sql`
      update notices set state = 'planned', resent = true, lease_token = null, finished_at = null
      where state = 'unknown' and not resent and finished_at <= ${before} and deadline > ${now}`.execute(
      database,
    );
  await sql`
    update notices set state = 'skipped', finished_at = ${now}, reply = coalesce(reply, 'past its deadline')
    where state in ('planned', 'deferred') and due_at <= ${now} and deadline <= ${now}`.execute(database);
  const { rows } = await sql<{ id: NoticeId }>`
    select id from notices
    where state in ('planned', 'deferred') and due_at <= ${before} order by due_at limit 1000`.execute(
    database,
  );
  return rows.map((row) => row.id);
}
