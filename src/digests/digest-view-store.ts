import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import {
  type ClaimedDigest,
  contentOf,
  type DigestKind,
  type DigestState,
  type SkipReason,
} from './digest.ts';
import { BLOCK_SIZE } from './ranges.ts';
import { createReasonsReader } from './reasons-text.ts';

/** A ledger row as pages and commands show it. */
export type DigestRow = Omit<ClaimedDigest, 'leaseToken'> & {
  readonly state: DigestState;
  readonly skipReason: SkipReason | null;
  readonly reply: string | null;
  /** When it was handed to a relay; null before. */
  readonly handedOverAt: Date | null;
};

/** The digest of one reader and date, or null when none was planned. */
export async function findDigest(
  db: Queryable,
  subscriberId: SubscriberId,
  editionDate: IsoDate,
): Promise<DigestRow | null> {
  type Stored = Parameters<typeof contentOf>[1];
  const { rows } = await sql<
    Omit<DigestRow, 'content'> & { paperIds: PaperId[]; said: string | null } & Stored
  >`
    select d.id, d.edition_date as "editionDate", d.subscriber_id as "subscriberId", d.kind, d.state,
           d.skip_reason as "skipReason", d.paper_ids as "paperIds", d.slot_at as "slotAt", d.deadline, d.attempts,
           d.reply, d.handed_over_at as "handedOverAt", d.candidates, d.had,
           split_part(t.reasons, E'\n', (d.id - t.first_id + 1)::int) as reasons, split_part(t.reasons, E'\n', -1) as said
    from digests d left join digest_contents t
      on t.first_id = d.id - d.id % ${BLOCK_SIZE}::bigint and t.edition_date = d.edition_date
    where d.subscriber_id = ${subscriberId} and d.edition_date = ${editionDate}::date`.execute(db);
  const row = rows[0];
  if (!row) return null;
  const { paperIds, reasons, said, candidates, had, ...rest } = row;
  return {
    ...rest,
    id: rest.id as DigestId,
    kind: rest.kind as DigestKind,
    content: contentOf(paperIds, { reasons, candidates, had }, createReasonsReader(said ?? '')),
  };
}
