import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { CoverageView } from '#src/mail/digest-view.ts';
import { coverageView, readCoverage } from '#src/papers/coverage.ts';

/** A digest of a reader's own archive. */
export type ArchivedDigest = {
  readonly date: IsoDate;
  readonly paperIds: readonly PaperId[];
  readonly candidates: number;
  /** Candidates that earlier digests had brought already; null where it was not noted. */
  readonly had: number | null;
  /** What the edition was made of; null where it was not noted. */
  readonly coverage: CoverageView | null;
};

type Row = Omit<ArchivedDigest, 'coverage'> & { readonly coverage: unknown };

/** The digests a reader was sent, newest first. Rows that were skipped are no digests. */
export async function archiveOf(
  database: Database,
  id: SubscriberId,
  limit: number,
): Promise<ArchivedDigest[]> {
  const { rows } = await sql<Row>`
    select d.edition_date as date, d.paper_ids as "paperIds", d.candidates, d.had, e.coverage
    from digests d left join editions e on e.edition_date = d.edition_date
    where d.subscriber_id = ${id} and d.state <> 'skipped'
    order by d.edition_date desc limit ${limit}`.execute(database);
  return rows.map((row) => {
    const coverage = readCoverage(row.coverage);
    return { ...row, coverage: coverage && coverageView(coverage) };
  });
}
