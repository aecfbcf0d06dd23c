import { sql } from 'kysely';
import { bigints, idRanges, PREPARED, splitIds, texts } from '#src/database/columns.ts';
import type { Database } from '#src/database/database.ts';
import type { DigestId } from '#src/database/ids.ts';
import { type HeldBlock, heldBlockOf, IS_OPEN, isHeld } from './block-store.ts';
import type { SkipReason } from './digest.ts';
import type { AddressedClaim, Claim, HandOver } from './ledger.ts';

/**
 * See `Ledger.handOver`. The ids are noted in the row of their block; what is not sent of them after all is taken off
 * again when it is recorded. Readers are looked at in the same statement: who left until now is not mailed.
 */
export async function handOverRows(
  database: Database,
  claims: readonly AddressedClaim[],
  leaseMs: number,
  now: Date,
): Promise<HandOver> {
  if (claims.length === 0) return { ids: new Set(), skipped: new Map() };
  const block = heldBlockOf(claims);
  const offered = claims.map((claim) => claim.id);
  const readers = bigints(claims.map((claim) => claim.subscriberId));
  const { rows } = await sql<{ held: boolean; missing: string | null }>`${PREPARED}
    with held as (
      update digest_blocks b
      set handed = b.handed + ${idRanges(offered.toSorted((a, b) => a - b))},
          lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      where ${isHeld(block)} and b.lease_until > clock_timestamp()
      returning b.first_id
    )
    select exists (select from held) as held, string_agg(c.id::text, ',') filter (where s.id is null) as missing
    from rows from (
      unnest(${bigints(offered)}, ${readers}), ${texts(claims.map((claim) => claim.address))}
    ) as c (id, subscriber, address)
    left join subscribers s on s.id = c.subscriber and s.id = any (${readers})
      and s.state = 'active' and s.email is not null
      -- an envelope writes domains in ASCII: others can't be compared here
      and (c.address is null or lower(s.email) = lower(c.address) or octet_length(s.email) > char_length(s.email))`.execute(
    database,
  );
  const [row] = rows;
  if (!row?.held) return { ids: new Set(), skipped: new Map() };
  const ids = new Set(offered);
  for (const id of splitIds<DigestId>(row.missing)) ids.delete(id);
  if (ids.size === claims.length) return { ids, skipped: new Map() };
  const rest = claims.filter((claim) => !ids.has(claim.id));
  return { ids, skipped: await skipInactive(database, block, rest, now) };
}

async function skipInactive(
  database: Database,
  block: HeldBlock,
  claims: readonly AddressedClaim[],
  now: Date,
): Promise<Map<DigestId, SkipReason>> {
  const ids = bigints(claims.map((claim) => claim.id));
  const { rows } = await sql<{ id: DigestId; skip_reason: SkipReason }>`
    with held as materialized (select b.first_id from digest_blocks b where ${isHeld(block)} for no key update)
    update digests d
    set state = 'skipped', finished_at = ${now},
        skip_reason = case when s.id is null or s.email is null then 'address-gone'
                           when s.state = 'paused' then 'paused' else 'unsubscribed' end
    from unnest(${ids}, ${bigints(claims.map((claim) => claim.subscriberId))}) as c (id, subscriber)
    left join subscribers s on s.id = c.subscriber
    where d.id = c.id and d.edition_date = ${block.editionDate}::date and ${IS_OPEN} and exists (select from held)
      and (s.id is null or s.email is null or s.state <> 'active')
    returning d.id, d.skip_reason`.execute(database);
  return new Map(rows.map((row) => [row.id, row.skip_reason]));
}

/** See `Ledger.renew`: the lease of the block, and of rows that a sweep took for lost meanwhile. */
export async function renewRows(
  database: Database,
  claims: readonly Claim[],
  leaseMs: number,
): Promise<Set<DigestId>> {
  if (claims.length === 0) return new Set();
  const block = heldBlockOf(claims);
  const until = sql`clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'`;
  const ids = bigints(claims.map((claim) => claim.id));
  const { rows } = await sql<{ held: boolean; adrift: string | null }>`
    with held as (
      update digest_blocks b set lease_until = ${until} where ${isHeld(block)} returning b.first_id
    ), adrift as (
      update digests d set lease_until = ${until}
      where d.id = any (${ids}) and d.edition_date = ${block.editionDate}::date and d.in_doubt
        and d.state = 'handed_over' and d.lease_token = ${block.leaseToken}
      returning d.id
    )
    select exists (select from held) as held, (select string_agg(id::text, ',') from adrift) as adrift`.execute(
    database,
  );
  if (rows[0]?.held) return new Set(claims.map((claim) => claim.id));
  return new Set(splitIds<DigestId>(rows[0]?.adrift));
}
