import { type RawBuilder, sql } from 'kysely';
import { PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { IsoDate } from '#src/database/ids.ts';
import { BLOCK_SIZE, blockOf, type DigestRange } from './ranges.ts';

/** A block of ids of one edition, by its lowest. */
export type Block = { readonly editionDate: IsoDate; readonly first: number };

/** A block that somebody holds. */
export type HeldBlock = Block & { readonly leaseToken: number };

/** The block of rows of one claim. @throws RangeError when they are not of one */
export function heldBlockOf(
  claims: readonly { readonly id: number; readonly editionDate: IsoDate; readonly leaseToken: number }[],
): HeldBlock {
  const [claim] = claims;
  if (!claim) throw new RangeError('no rows');
  const { editionDate, leaseToken } = claim;
  const first = blockOf(claim.id);
  for (const each of claims)
    if (each.leaseToken !== leaseToken || each.editionDate !== editionDate || blockOf(each.id) !== first)
      throw new RangeError('rows of different claims');
  return { editionDate, first, leaseToken };
}

/*
 * Conditions on a block and its rows. The edition is a constant and not a parameter: the planner then sees one partition
 * and a few rows of its primary key whatever the parameters are, and makes one plan for all times.
 */
const date = (block: Block) => sql`${sql.lit(block.editionDate)}::date`;
/** The row of `digest_blocks`, called `b`. */
export const isBlock = (block: Block) => sql`b.first_id = ${block.first} and b.edition_date = ${date(block)}`;
/** The same, held under the block's token. */
export const isHeld = (block: HeldBlock) => sql`${isBlock(block)} and b.lease_token = ${block.leaseToken}`;
/** Rows of `digests`, called `d`, of the block. */
const inBlock = (block: Block) =>
  sql`d.id between ${block.first} and ${block.first + BLOCK_SIZE - 1} and d.edition_date = ${date(block)}`;
/** Rows `d` of a block `b`. */
export const IN_B = sql`d.id between b.first_id and b.first_id + ${sql.lit(BLOCK_SIZE - 1)} and d.edition_date = b.edition_date`;
/** A row of `digests` that waits to be sent, or is with the holder of its block. */
export const IS_OPEN = sql`d.state in ('planned', 'deferred')`;

/** The open blocks of a range that nobody holds, lowest first. */
export async function freeBlocks(db: Queryable, { editionDate, from, to }: DigestRange): Promise<Block[]> {
  const first = blockOf(from);
  // What a job holds is of one block: it is asked when it is taken.
  if (blockOf(to) === first) return [{ editionDate, first }];
  const { rows } = await sql<{ first: number }>`
    select first_id as first from digest_blocks
    where first_id between ${first} and ${blockOf(to)} and edition_date = ${editionDate}::date
      and open and lease_token is null order by 1`.execute(db);
  return rows.map((row) => ({ editionDate, first: row.first }));
}

/**
 * Takes a block that is open and that nobody holds. What another holder did is seen by the *next* statement only: read
 * the rows with one of its own.
 * @param holder this process, as `nameOf` (process-identity.ts) has it
 * @returns null when somebody else has it, or nothing of it is open
 */
export async function takeBlock(
  db: Queryable,
  block: Block,
  { leaseMs, holder }: { readonly leaseMs: number; readonly holder: string },
  now: Date,
): Promise<HeldBlock | null> {
  const { rows } = await sql<{ token: number }>`${PREPARED}
    update digest_blocks b
    set lease_token = nextval('lease_tokens'), claimed_at = ${now}, handed = '{}', holder = ${holder},
        lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
    where ${isBlock(block)} and b.open and b.lease_token is null
    returning b.lease_token as token`.execute(db);
  return rows[0] ? { ...block, leaseToken: rows[0].token } : null;
}

/** What {@link endLease} found. */
export type EndedLease = {
  /** When the next row of the block that nobody has is due, or was; null when there is none before its deadline. */
  readonly nextDue: Date | null;
  /** Rows whose fate nobody has told: `handed_over` in their own row from now on. */
  readonly adrift: number;
  /** Rows that are free again. */
  readonly free: number;
};

/**
 * Ends a lease, and closes the block when nothing of it is open.
 * @param lapsed only where the lease has run out
 * @returns null when it was not held under this token, or has not run out
 */
export async function endLease(
  db: Queryable,
  block: HeldBlock,
  now: Date,
  lapsed = false,
): Promise<EndedLease | null> {
  const over = lapsed ? sql`b.lease_until < clock_timestamp()` : sql`true`;
  for (;;) {
    const { rows } = await sql<{ held: boolean; ended: boolean } & EndedLease>`${PREPARED}
      with held as materialized (
        select b.lease_token, b.lease_until, b.claimed_at, b.version, b.handed
        from digest_blocks b where ${isHeld(block)} and ${over}
      ), still as materialized (
        select d.id, d.due_at, d.deadline, held.handed @> d.id as handed from held, digests d
        where ${inBlock(block)} and ${IS_OPEN}
      ), ended as (
        -- Where a row was put back or handed over meanwhile nothing ends that was not seen: this is done once more.
        update digest_blocks b
        set lease_token = null, lease_until = null, handed = '{}',
            open = exists (select from still where not still.handed)
        from held where ${isHeld(block)} and ${over} and b.version = held.version and b.handed = held.handed
        returning b.first_id
      ), adrift as (
        -- Only where it has ended: else a result that came meanwhile would be forgotten.
        update digests d
        set state = 'handed_over', in_doubt = true, attempts = d.attempts + 1, lease_token = held.lease_token,
            lease_until = held.lease_until, handed_over_at = held.claimed_at
        from ended, held, still where still.handed and d.id = still.id and ${inBlock(block)} and ${IS_OPEN}
        returning d.id
      )
      select exists (select from held) as held, exists (select from ended) as ended,
             (select count(*) from adrift) as adrift,
             count(*) filter (where not handed and due_at <= ${now}) as free,
             min(due_at) filter (where not handed and deadline > ${now}) as "nextDue"
      from still`.execute(db);
    const [row] = rows;
    if (!row?.held) return null;
    if (row.ended) return { nextDue: row.nextDue, adrift: row.adrift, free: row.free };
  }
}

/** A block `b` that is held, and nothing of it on its way. */
const IS_IDLE = sql`b.open and b.lease_token is not null and b.handed = '{}'`;

/** See `RecoveryStore.idleHolders`. */
export async function idleHolders(db: Queryable): Promise<string[]> {
  const { rows } = await sql<{ holder: string }>`
    select distinct b.holder from digest_blocks b where ${IS_IDLE} and b.holder is not null`.execute(db);
  return rows.map((row) => row.holder);
}

/** See `RecoveryStore.releaseIdle`. */
export async function releaseIdle(db: Queryable, holders: readonly string[]) {
  if (holders.length === 0) return { claims: 0, released: 0 };
  // A hand-over that the server does after its client's death comes first, and keeps its block, or finds the lease over.
  const { rows } = await sql<{ claims: number; released: number }>`
    with idle as materialized (
      select b.first_id, b.edition_date from digest_blocks b
      where ${IS_IDLE} and b.holder = any (${[...holders]}::text[]) for no key update skip locked
    ), freed as (
      update digest_blocks b set lease_token = null, lease_until = null
      from idle where b.first_id = idle.first_id and b.edition_date = idle.edition_date
    )
    select count(*) as claims, coalesce(sum(waiting.n), 0)::bigint as released
    from idle b cross join lateral (select count(*) as n from digests d where ${IN_B} and ${IS_OPEN}) as waiting`.execute(
    db,
  );
  return rows[0] ?? { claims: 0, released: 0 };
}

/** Tokens under which `holder` has blocks, and nothing of them on its way. */
export async function idleTokens(db: Queryable, holder: string): Promise<number[]> {
  const { rows } = await sql<{ token: number }>`
    select b.lease_token as token from digest_blocks b where ${IS_IDLE} and b.holder = ${holder}`.execute(db);
  return rows.map((row) => row.token);
}

/** Frees such blocks by their tokens. @returns their ids */
export async function freeIdle(db: Queryable, tokens: readonly number[]): Promise<DigestRange[]> {
  if (tokens.length === 0) return [];
  const { rows } = await sql<Block>`
    update digest_blocks b set lease_token = null, lease_until = null
    where ${IS_IDLE} and b.lease_token = any (${[...tokens]}::bigint[])
    returning b.first_id as first, b.edition_date as "editionDate"`.execute(db);
  return rows.map(({ editionDate, first }) => ({ editionDate, from: first, to: first + BLOCK_SIZE - 1 }));
}

/**
 * Locks the blocks of rows of `digests` before they are put back to be sent: who changes both takes the block first, so
 * that no two wait for each other.
 */
export const lockBlocks = (rows: RawBuilder<unknown>) => sql`
  select b.first_id from digest_blocks b
  where (b.first_id, b.edition_date) in (
    select id - id % ${sql.lit(BLOCK_SIZE)}, edition_date from digests where ${rows}
  ) order by b.first_id, b.edition_date for no key update`;

/** Opens the blocks of rows that are put back to be sent; `back` names a query of their `id` and `edition_date`. */
export const reopenBlocks = (back: string) => sql`
  insert into digest_blocks (first_id, edition_date)
  select distinct id - id % ${sql.lit(BLOCK_SIZE)}, edition_date from ${sql.table(back)} order by 1, 2
  on conflict (first_id, edition_date) do update set open = true, version = digest_blocks.version + 1`;
