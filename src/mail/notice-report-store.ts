import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate, NoticeId } from '#src/database/ids.ts';
import type { NoticeKind } from './notice.ts';

/** A transactional mail whose fate is not known, or was not when it was sent again. */
export type UncertainNotice = {
  readonly id: NoticeId;
  readonly kind: NoticeKind;
  readonly state: string;
  /** It was sent again under the same Message-ID. */
  readonly resent: boolean;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly reply: string | null;
  /** What its Message-ID is made of, and not to be shown. */
  readonly email: string;
};

/** `unknown` notices and those that were sent again, planned on or after `since` (UTC), newest first, at most `limit`. */
export async function selectUncertainNotices(
  database: Database,
  since: IsoDate,
  limit: number,
): Promise<UncertainNotice[]> {
  const { rows } = await sql<UncertainNotice>`
    select id, kind, state, resent, attempts, created_at as "createdAt", reply, email from notices
    where created_at >= ${since}::date and (state = 'unknown' or resent) order by id desc limit ${limit}`.execute(
    database,
  );
  return rows;
}

/** How many notices were due before `before` and wait, and since when the first of them is due; null when none is. */
export async function countWaitingNotices(
  database: Database,
  before: Date,
): Promise<{ readonly count: number; readonly since: Date | null }> {
  const { rows } = await sql<{ count: number; since: Date | null }>`
    select count(*)::int as count, min(due_at) as since from notices
    where state in ('planned', 'deferred') and due_at < ${before}`.execute(database);
  return rows[0] ?? { count: 0, since: null };
}
