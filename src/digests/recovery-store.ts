import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { addDays, type DigestId, type IsoDate, utcDate } from '#src/database/ids.ts';
import {
  endLease,
  IN_B,
  IS_OPEN,
  idleHolders,
  lockBlocks,
  releaseIdle,
  reopenBlocks,
} from './block-store.ts';
import type { Claim } from './ledger.ts';
import { BLOCK_SIZE, type DigestRange } from './ranges.ts';
import { type BrokenClaim, settleClaim } from './settle-claim-store.ts';

/** What the sweep does to the ledger. Every method is one statement (or a loop of them) and idempotent. */
export type RecoveryStore = {
  /** Rows past their deadline that were never (successfully) tried: `skipped`. @returns how many */
  expire(): Promise<number>;
  /**
   * Blocks whose lease ran out are free again: nothing of what was merely claimed was on the wire. What was handed over
   * is `handed_over` in its row from then on. @returns how many rows are free
   */
  releaseLapsed(): Promise<number>;
  /** Such `handed_over` rows, at most `limit`. */
  lapsedHandOvers(limit: number): Promise<Claim[]>;
  /** Gives rows up as `unknown`, where they are still `handed_over` under that token. */
  giveUp(claims: readonly Claim[], reply: string): Promise<DigestId[]>;
  /**
   * Puts `unknown` rows that were never resent, and have been unknown for `waitMs`, back to `planned` for one more
   * attempt under the same Message-ID. @returns how many
   */
  resendUnknown(waitMs: number): Promise<number>;
  /**
   * Settles what a claim left open when its process died: the rows in `begun` may have been on the wire and are
   * `unknown`; all others of the claim were not, and are free again. @returns how many of either
   */
  settleClaim(claim: BrokenClaim): Promise<{ readonly unknown: number; readonly released: number }>;
  /** Who holds blocks of which nothing was handed over, as `nameOf` (process-identity.ts) has them. */
  idleHolders(): Promise<string[]>;
  /**
   * Frees such blocks of holders that are gone, without waiting for their leases. @returns how many, and how many digests
   * of them wait
   */
  releaseIdle(holders: readonly string[]): Promise<{ readonly claims: number; readonly released: number }>;
  /**
   * Blocks of ids of due rows without a job, oldest first: `deferred` ones, and `planned` ones that have waited for at
   * least `waitMs`, whose job may be lost.
   */
  stranded(waitMs: number, limit: number): Promise<DigestRange[]>;
  /**
   * Opens blocks that are closed although something of them waits, which nothing but a hand in the database brings
   * about. Reads the ledger of a week whole. @returns how many
   */
  reopenForgotten(): Promise<number>;
  /** Closes blocks of which nothing is left to be done. @returns how many */
  closeFinished(): Promise<number>;
};

/** Opens the sweep's view of the ledger. Leases follow the database's clock, everything else `now`. */
export function createRecoveryStore({
  database,
  now,
}: {
  database: Database;
  now: () => Date;
}): RecoveryStore {
  return {
    expire: () => expire(database, now()),
    releaseLapsed: () => releaseLapsed(database, now()),
    lapsedHandOvers: (limit) => selectLapsed(database, limit),
    giveUp: (claims, reply) => giveUp(database, claims, reply, now()),
    resendUnknown: (waitMs) => resendUnknown(database, waitMs, now()),
    settleClaim: (claim) => settleClaim(database, claim, now()),
    idleHolders: () => idleHolders(database),
    releaseIdle: (holders) => releaseIdle(database, holders),
    stranded: (waitMs, limit) => selectStranded(database, now(), waitMs, limit),
    reopenForgotten: () => reopenForgotten(database, now()),
    closeFinished: () => closeFinished(database),
  };
}

async function expire(database: Database, now: Date): Promise<number> {
  const over = sql`${IS_OPEN} and d.due_at <= ${now} and d.deadline <= ${now}`;
  // A block that has such rows is locked before they are changed: nobody takes it meanwhile, and nobody has it.
  const { numAffectedRows } = await sql`
    with free as materialized (
      select b.first_id, b.edition_date from digest_blocks b
      where b.open and b.lease_token is null and exists (select from digests d where ${IN_B} and ${over})
      for no key update skip locked
    ), late as materialized (
      -- a block at a time, which the limit tells the planner
      select d.id, d.edition_date from free b
      cross join lateral (select d.id, d.edition_date from digests d where ${IN_B} limit ${BLOCK_SIZE}) as d
    )
    update digests d set state = 'skipped', skip_reason = 'past-deadline', finished_at = ${now}
    from late where d.id = late.id and d.edition_date = late.edition_date and ${over}`.execute(database);
  return Number(numAffectedRows ?? 0);
}

/** The leases of vanished workers. What was handed over under them stays with its row, and is watched from now on. */
async function releaseLapsed(database: Database, now: Date): Promise<number> {
  const { rows } = await sql<{ first: number; editionDate: IsoDate; leaseToken: number }>`
    select first_id as first, edition_date as "editionDate", lease_token as "leaseToken" from digest_blocks
    where open and lease_until < clock_timestamp() order by 1`.execute(database);
  let released = 0;
  for (const block of rows) released += (await endLease(database, block, now, true))?.free ?? 0;
  return released;
}

async function closeFinished(database: Database): Promise<number> {
  // Where a row was put back meanwhile the version is another. What somebody else has locked is left to the next sweep:
  // who waits for nobody can't be one of two that wait for each other.
  const { numAffectedRows } = await sql`
    with finished as materialized (
      select b.first_id, b.edition_date from digest_blocks b
      join digest_blocks seen
        on seen.first_id = b.first_id and seen.edition_date = b.edition_date and seen.version = b.version
      where b.open and b.lease_token is null and seen.open
        and not exists (select from digests d where ${IN_B} and ${IS_OPEN})
      for no key update of b skip locked
    )
    update digest_blocks b set open = false
    from finished where b.first_id = finished.first_id and b.edition_date = finished.edition_date`.execute(
    database,
  );
  return Number(numAffectedRows ?? 0);
}

async function reopenForgotten(database: Database, now: Date): Promise<number> {
  const since = addDays(utcDate(now), -7);
  const { rows } = await sql<{ n: number }>`
    with forgotten as (
      select d.id, d.edition_date from digests d
      where d.edition_date >= ${since}::date and ${IS_OPEN} and d.deadline > ${now}
        and not exists (select from digest_blocks b where b.open and b.first_id = d.id - d.id % ${sql.lit(BLOCK_SIZE)}
                          and b.edition_date = d.edition_date)
    ), reopened as (${reopenBlocks('forgotten')} returning first_id)
    select count(*) as n from reopened`.execute(database);
  return rows[0]?.n ?? 0;
}

async function resendUnknown(database: Database, waitMs: number, now: Date): Promise<number> {
  const before = new Date(now.getTime() - waitMs);
  const due = sql`in_doubt and state = 'unknown' and not resent and finished_at <= ${before} and deadline > ${now}`;
  // due_at stays in the past: the same sweep makes their jobs.
  const { rows } = await sql<{ n: number }>`
    with locked as materialized (${lockBlocks(due)}), back as (
      update digests set state = 'planned', in_doubt = false, resent = true, lease_token = null, finished_at = null
      -- counting them is what makes the locks come first: what nobody reads of a query is never run
      where ${due} and (select count(*) from locked) >= 0
      returning id, edition_date
    ), reopened as (${reopenBlocks('back')})
    select count(*) as n from back`.execute(database);
  return rows[0]?.n ?? 0;
}

async function selectLapsed(database: Database, limit: number): Promise<Claim[]> {
  const { rows } = await sql<{ id: DigestId; edition_date: IsoDate; lease_token: number }>`
    select id, edition_date, lease_token from digests
    where in_doubt and state = 'handed_over' and lease_until < clock_timestamp()
    order by lease_until limit ${limit}`.execute(database);
  return rows.map((row) => ({
    id: row.id,
    editionDate: row.edition_date,
    leaseToken: row.lease_token,
  }));
}

async function giveUp(database: Database, claims: readonly Claim[], reply: string, now: Date) {
  if (claims.length === 0) return [];
  // The token stays: a worker that was only slow may still record what really happened.
  const { rows } = await sql<{ id: DigestId }>`
    update digests d set state = 'unknown', in_doubt = true, reply = ${reply}, finished_at = ${now}, lease_until = null
    from unnest(${claims.map((claim) => claim.id)}::bigint[], ${claims.map((claim) => claim.editionDate)}::date[],
                ${claims.map((claim) => claim.leaseToken)}::bigint[]) as c (id, edition_date, token)
    where d.id = c.id and d.edition_date = c.edition_date and d.lease_token = c.token
      and d.state = 'handed_over' and d.lease_until < clock_timestamp()
    returning d.id`.execute(database);
  return rows.map((row) => row.id);
}

async function selectStranded(
  database: Database,
  now: Date,
  waitMs: number,
  limit: number,
): Promise<DigestRange[]> {
  const before = new Date(now.getTime() - waitMs);
  // One job for each block, however scattered the rows are.
  const { rows } = await sql<{ editionDate: IsoDate; first: number }>`
    select b.edition_date as "editionDate", b.first_id as first
    -- a block at a time: a join is planned as if a block could be half of the ledger
    from digest_blocks b cross join lateral (
      select min(d.due_at) as due from digests d
      where ${IN_B} and d.deadline > ${now} and d.due_at <= ${now}
        and (d.state = 'planned' and d.due_at <= ${before} or d.state = 'deferred')
    ) as oldest
    where b.open and b.lease_token is null and oldest.due is not null
    order by oldest.due, 2 limit ${limit}`.execute(database);
  return rows.map(({ editionDate, first }) => ({ editionDate, from: first, to: first + BLOCK_SIZE - 1 }));
}
