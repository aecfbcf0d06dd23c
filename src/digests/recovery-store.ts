import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { DigestId, IsoDate } from '#src/database/ids.ts';
import type { Claim } from './ledger.ts';
import { BLOCK_SIZE, type DigestRange } from './ranges.ts';

/** What the sweep does to the ledger. Every method is one statement (or a loop of them) and idempotent. */
export type RecoveryStore = {
  /** Rows past their deadline that were never (successfully) tried: `skipped`. @returns how many */
  expire(): Promise<number>;
  /** `claimed` rows whose lease ran out go back to `planned`: nothing of them was on the wire. @returns how many */
  releaseLapsed(): Promise<number>;
  /** `handed_over` rows whose lease ran out, at most `limit`. */
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
   * `unknown`; all others of the claim were not, and go back to `planned`. @returns how many of either
   */
  settleClaim(claim: {
    readonly editionDate: IsoDate;
    readonly leaseToken: number;
    readonly from: number;
    readonly to: number;
    readonly begun: readonly DigestId[];
  }): Promise<{ readonly unknown: number; readonly released: number }>;
  /**
   * Blocks of ids of due rows without a job, oldest first: `deferred` ones, and `planned` ones that have waited for at
   * least `waitMs`, whose job may be lost.
   */
  stranded(waitMs: number, limit: number): Promise<DigestRange[]>;
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
    expire: async () => {
      const result = await sql`
        update digests set state = 'skipped', skip_reason = 'past-deadline', finished_at = ${now()}
        where finished_at is null and state in ('planned', 'deferred') and due_at <= ${now()} and deadline <= ${now()}`.execute(
        database,
      );
      return Number(result.numAffectedRows ?? 0);
    },
    releaseLapsed: async () => {
      const result = await sql`
        update digests set state = 'planned', lease_until = null, lease_token = null
        where finished_at is null and state = 'claimed' and lease_until < clock_timestamp()`.execute(
        database,
      );
      return Number(result.numAffectedRows ?? 0);
    },
    lapsedHandOvers: (limit) => selectLapsed(database, limit),
    giveUp: (claims, reply) => giveUp(database, claims, reply, now()),
    // due_at stays in the past: the same sweep makes their jobs.
    resendUnknown: async (waitMs) => {
      const before = new Date(now().getTime() - waitMs);
      const result = await sql`
        update digests set state = 'planned', in_doubt = false, resent = true, lease_token = null, finished_at = null
        where in_doubt and not resent and finished_at <= ${before} and deadline > ${now()}`.execute(database);
      return Number(result.numAffectedRows ?? 0);
    },
    settleClaim: (claim) => settleClaim(database, claim, now()),
    stranded: (waitMs, limit) => selectStranded(database, now(), waitMs, limit),
  };
}

async function selectLapsed(database: Database, limit: number): Promise<Claim[]> {
  const { rows } = await sql<{ id: DigestId; edition_date: IsoDate; lease_token: number }>`
    select id, edition_date, lease_token from digests
    where finished_at is null and state = 'handed_over' and lease_until < clock_timestamp()
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

async function settleClaim(
  database: Database,
  claim: Parameters<RecoveryStore['settleClaim']>[0],
  now: Date,
) {
  // A sweep elsewhere may have been faster and given all of them up: what was not begun is taken back from `unknown`.
  const { rows } = await sql<{ state: 'unknown' | 'planned'; n: number }>`
    with settled as (
      update digests
      set state = case when id = any (${[...claim.begun]}::bigint[]) then 'unknown' else 'planned' end,
          in_doubt = id = any (${[...claim.begun]}::bigint[]),
          reply = case when id = any (${[...claim.begun]}::bigint[])
                       then 'the worker was killed while this message was on the wire' else reply end,
          finished_at = case when id = any (${[...claim.begun]}::bigint[]) then ${now}::timestamptz end,
          attempts = case when id = any (${[...claim.begun]}::bigint[]) or state = 'claimed'
                          then attempts else greatest(attempts - 1, 0) end,
          lease_until = null
      where id between ${claim.from} and ${claim.to} and edition_date = ${claim.editionDate}::date
        and lease_token = ${claim.leaseToken}
        and (state in ('claimed', 'handed_over')
             or state = 'unknown' and id <> all (${[...claim.begun]}::bigint[]))
      returning state
    ) select state, count(*) as n from settled group by 1`.execute(database);
  const count = (state: string) => rows.find((row) => row.state === state)?.n ?? 0;
  return { unknown: count('unknown'), released: count('planned') };
}

async function selectStranded(
  database: Database,
  now: Date,
  waitMs: number,
  limit: number,
): Promise<DigestRange[]> {
  const before = new Date(now.getTime() - waitMs);
  // One job for each block, however scattered the rows are.
  const { rows } = await sql<{ edition_date: IsoDate; block: number }>`
    select edition_date, id / ${BLOCK_SIZE}::bigint as block from digests
    where finished_at is null and deadline > ${now} and due_at <= ${now}
      and (state = 'planned' and due_at <= ${before} or state = 'deferred')
    group by 1, 2 order by min(due_at), 2 limit ${limit}`.execute(database);
  return rows.map(({ edition_date, block }) => ({
    editionDate: edition_date,
    from: block * BLOCK_SIZE,
    to: (block + 1) * BLOCK_SIZE - 1,
  }));
}
