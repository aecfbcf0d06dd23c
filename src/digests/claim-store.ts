import { sql } from 'kysely';
import { PREPARED, splitIds } from '#src/database/columns.ts';
import type { Database } from '#src/database/database.ts';
import type { DigestId, PaperId, SubscriberId } from '#src/database/ids.ts';
import { createCache } from '#src/mail/cache.ts';
import { endLease, freeBlocks, type HeldBlock, takeBlock } from './block-store.ts';
import { type ClaimedDigest, contentOf, type DigestKind } from './digest.ts';
import { BLOCK_SIZE, type DigestRange } from './ranges.ts';
import { createSaidReader } from './reasons-text.ts';

type ClaimRow = {
  /** A line for each claimed row, its columns separated by spaces; null when there is none. */
  readonly claimed: string | null;
  /** The lines of `writeReasons` of the block; null when nothing is kept for it. */
  readonly reasons: string | null;
};

/** See `Ledger.claim`. */
export async function claimRows(
  database: Database,
  range: DigestRange,
  { limit, ...claimant }: { readonly limit: number; readonly leaseMs: number; readonly holder: string },
  now: Date,
): Promise<ClaimedDigest[]> {
  for (const free of await freeBlocks(database, range)) {
    const block = await takeBlock(database, free, claimant, now);
    if (!block) continue;
    const rows = await readDue(database, block, range, limit, now);
    if (rows.length > 0) return rows;
    await endLease(database, block, now);
  }
  return [];
}

/** The rows of a block just taken that are due. */
async function readDue(
  database: Database,
  block: HeldBlock,
  { from, to }: DigestRange,
  limit: number,
  now: Date,
): Promise<ClaimedDigest[]> {
  const { rows } = await sql<ClaimRow>`${PREPARED}
    with due as (
      select id, subscriber_id, kind, slot_at, deadline, attempts, candidates, had, paper_ids from digests
      where edition_date = ${sql.lit(block.editionDate)}::date
        and id between ${Math.max(from, block.first)} and ${Math.min(to, block.first + BLOCK_SIZE - 1)}
        and state in ('planned', 'deferred') and due_at <= ${now} and deadline > ${now}
      order by id limit ${limit}
    )
    select string_agg(concat_ws(' ', id, subscriber_id, kind, date_part('epoch', slot_at) * 1000,
                                date_part('epoch', deadline) * 1000, attempts, candidates, coalesce(had::text, '-'),
                                array_to_string(paper_ids, ',')), E'\n') as claimed,
           (select reasons from digest_contents
            where first_id = ${block.first} and edition_date = ${sql.lit(block.editionDate)}::date) as reasons
    from due`.execute(database);
  return rows[0] ? readClaim(rows[0], block) : [];
}

function readClaim({ claimed, reasons }: ClaimRow, block: HeldBlock): ClaimedDigest[] {
  if (claimed === null) return [];
  const lines = reasons?.split('\n') ?? [];
  const read = createSaidReader(lines.at(-1) ?? '');
  // Readers of a block are due at the same few times.
  const dates = createCache<Date>(BLOCK_SIZE);
  const dateOf = (ms = '') => dates(ms, () => new Date(Number(ms)));
  return claimed.split('\n').map((line) => {
    const [id, subscriber, kind, slot, deadline, attempts, candidates, had, papers] = line.split(' ');
    const stored = {
      reasons: lines[Number(id) - block.first] ?? null,
      candidates: Number(candidates),
      had: had === '-' ? null : Number(had),
    };
    return {
      id: Number(id) as DigestId,
      editionDate: block.editionDate,
      subscriberId: Number(subscriber) as SubscriberId,
      kind: kind as DigestKind,
      content: contentOf(splitIds<PaperId>(papers), stored, read),
      slotAt: dateOf(slot),
      deadline: dateOf(deadline),
      attempts: Number(attempts),
      leaseToken: block.leaseToken,
    };
  });
}
