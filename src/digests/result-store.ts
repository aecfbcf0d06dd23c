import { sql } from 'kysely';
import { bigints, idRanges, joinedIds, PREPARED, splitIds, texts } from '#src/database/columns.ts';
import type { Database } from '#src/database/database.ts';
import type { DigestId } from '#src/database/ids.ts';
import { withoutAddresses } from '#src/mail/redact.ts';
import { heldBlockOf, IS_OPEN, isBlock, isHeld } from './block-store.ts';
import type { DigestResult } from './ledger.ts';
import { blockOf } from './ranges.ts';

/** When a result was learnt, and when its row was handed over: undefined where nobody knows any more. */
type Times = { readonly now: Date; readonly handedOverAt: Date | undefined };

/** See `Ledger.record`. Results may be of several claims, though a delivery's never are: each claim's are one statement for each block. */
export async function recordRows(
  database: Database,
  results: readonly DigestResult[],
  times: Times,
): Promise<Set<DigestId>> {
  const written = new Set<DigestId>();
  for (const claim of Map.groupBy(results, (result) => result.leaseToken).values())
    for (const group of Map.groupBy(claim, (result) => blockOf(result.id)).values()) {
      const sent = group.every((result) => result.state === 'sent');
      for (const id of await (sent ? recordSent : recordAny)(database, group, times)) written.add(id);
    }
  return written;
}

/** SMTP replies are kept to this length, in characters. */
const REPLY_LENGTH = 500;

/** Without addresses: a row outlives the erasure of its reader. */
const replyOf = (result: DigestResult) =>
  'reply' in result ? withoutAddresses(result.reply).slice(0, REPLY_LENGTH) : undefined;

/** What nearly every window is, at a fraction of the cost of {@link recordAny}. The block's row is left alone. */
async function recordSent(database: Database, results: readonly DigestResult[], times: Times) {
  const block = heldBlockOf(results);
  const offered = results.map((result) => result.id);
  const ids = bigints(offered);
  const { rows } = await sql<{ n: number; ids: string | null }>`${PREPARED}
    with recorded as (
      update digests d
      set state = 'sent', reply = coalesce(c.reply, d.reply), skip_reason = null, in_doubt = false, lease_token = null,
          lease_until = null, attempts = d.attempts + case when d.in_doubt then 0 else 1 end,
          handed_over_at = coalesce(${times.handedOverAt ?? null}::timestamptz, d.handed_over_at),
          finished_at = ${times.now}
      from rows from (unnest(${ids}), ${texts(results.map(replyOf))}) as c (id, reply)
      where d.id = c.id and d.id = any (${ids}) and d.edition_date = ${sql.lit(block.editionDate)}::date
        and (${IS_OPEN} and exists (select from digest_blocks b where ${isHeld(block)})
             or d.in_doubt and d.lease_token = ${block.leaseToken})
      returning d.id
    ) select count(*) as n, case when count(*) < ${offered.length} then ${joinedIds} end as ids from recorded`.execute(
    database,
  );
  return rows[0]?.n === offered.length ? offered : splitIds<DigestId>(rows[0]?.ids);
}

async function recordAny(database: Database, results: readonly DigestResult[], times: Times) {
  const block = heldBlockOf(results);
  const ids = bigints(results.map((result) => result.id));
  const ranges = idRanges(results.map((result) => result.id).toSorted((a, b) => a - b));
  const dueAt = results.map((result) => ('dueAt' in result ? result.dueAt?.getTime() : undefined));
  // The lock keeps the block from being taken over between this look at it and the change of its rows; whoever has it,
  // it is locked before them, so that no two wait for each other.
  const { rows } = await sql<{ ids: string | null }>`${PREPARED}
    with locked as materialized (
      select b.lease_token, b.handed, b.claimed_at from digest_blocks b where ${isBlock(block)} for no key update
    ), held as (
      select b.handed, b.claimed_at from locked b where b.lease_token = ${block.leaseToken}
    ), recorded as (
      update digests d
      set state = c.state, reply = coalesce(c.reply, d.reply), skip_reason = c.reason,
          attempts = case when d.in_doubt then d.attempts - (c.state = 'planned')::int
                          else d.attempts + (c.state <> 'planned' and b.handed @> d.id)::int end,
          handed_over_at = case when b.handed @> d.id then coalesce(${times.handedOverAt ?? null}::timestamptz, b.claimed_at)
                                else d.handed_over_at end,
          due_at = coalesce(to_timestamp(c.due_ms::float8 / 1000), d.due_at), in_doubt = c.state = 'unknown',
          lease_token = case when c.state = 'unknown' then ${block.leaseToken}::bigint end, lease_until = null,
          finished_at = case when c.state in ('planned', 'deferred') then null else ${times.now}::timestamptz end
      from rows from (
        unnest(${ids}, ${bigints(dueAt)}), ${texts(results.map((result) => result.state))},
        ${texts(results.map(replyOf))}, ${texts(results.map((result) => ('reason' in result ? result.reason : undefined)))}
      ) as c (id, due_ms, state, reply, reason) left join held b on true
      where d.id = c.id and d.id = any (${ids}) and d.edition_date = ${sql.lit(block.editionDate)}::date
        -- (what was unknown and is put back is not handed over any more: saying it again changes nothing)
        and (${IS_OPEN} and b.claimed_at is not null and (c.state <> 'unknown' or b.handed @> d.id)
             or d.in_doubt and d.lease_token = ${block.leaseToken})
      returning d.id, d.state
    ), freed as (
      update digest_blocks b
      set handed = case when b.lease_token = ${block.leaseToken} then b.handed - ${ranges} else b.handed end,
          open = b.open or exists (select from recorded where state in ('planned', 'deferred')),
          version = b.version + 1
      where ${isBlock(block)} and exists (select from recorded)
    ) select ${joinedIds} as ids from recorded`.execute(database);
  return splitIds<DigestId>(rows[0]?.ids);
}
