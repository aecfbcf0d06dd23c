import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { ClaimedDigest, DigestContent, DigestKind, DigestState, SkipReason } from './digest.ts';

/** A ledger row as pages and commands show it. */
export type DigestRow = Omit<ClaimedDigest, 'leaseToken'> & {
  readonly state: DigestState;
  readonly skipReason: SkipReason | null;
  readonly reply: string | null;
};

/** The digest of one reader and date, or null when none was planned. */
export async function findDigest(
  db: Queryable,
  subscriberId: SubscriberId,
  editionDate: IsoDate,
): Promise<DigestRow | null> {
  const { rows } = await sql<
    Omit<DigestRow, 'content'> & { paperIds: PaperId[]; content: Partial<DigestContent> }
  >`
    select id, edition_date as "editionDate", subscriber_id as "subscriberId", kind, state,
           skip_reason as "skipReason", paper_ids as "paperIds", content, slot_at as "slotAt", deadline, attempts, reply
    from digests where subscriber_id = ${subscriberId} and edition_date = ${editionDate}::date`.execute(db);
  const row = rows[0];
  if (!row) return null;
  const { paperIds, content, ...rest } = row;
  const { reasons = [], candidates = 0, had } = content;
  return {
    ...rest,
    id: rest.id as DigestId,
    kind: rest.kind as DigestKind,
    content: { paperIds, reasons, candidates, ...(had === undefined ? {} : { had }) },
  };
}
