import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate } from '#src/database/ids.ts';

/** How many papers were first listed from `since` on, and the newest of these days; null when there are none. */
export async function countPapersSince(
  database: Database,
  since: IsoDate,
): Promise<{ readonly count: number; readonly newest: IsoDate | null }> {
  const { rows } = await sql<{ count: number; newest: IsoDate | null }>`
    select count(*)::int as count, max(first_listed_on) as newest from papers
    where first_listed_on >= ${since}::date and withdrawn_at is null`.execute(database);
  return rows[0] ?? { count: 0, newest: null };
}
