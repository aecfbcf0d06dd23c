import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';

/** A digest of a reader's own archive. */
export type ArchivedDigest = { readonly date: IsoDate; readonly paperIds: readonly PaperId[] };

/** The digests a reader was sent, newest first. Rows that were skipped are no digests. */
export async function archiveOf(
  database: Database,
  id: SubscriberId,
  limit: number,
): Promise<ArchivedDigest[]> {
  const { rows } = await sql<ArchivedDigest>`
    select edition_date as date, paper_ids as "paperIds" from digests
    where subscriber_id = ${id} and state <> 'skipped'
    order by edition_date desc limit ${limit}`.execute(database);
  return rows;
}
