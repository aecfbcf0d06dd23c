import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { PaperId, SubscriberId } from '#src/database/ids.ts';
import type { Verdict } from '#src/mail/links.ts';

/** What one reader said of papers, the newest first. */
export type Feedback = {
  readonly likes: PaperId[];
  readonly dislikes: PaperId[];
  readonly notNow: PaperId[];
};

const LIST_OF: Record<Verdict, keyof Feedback> = { more: 'likes', less: 'dislikes', not_now: 'notNow' };

/** Feedback of many readers; those who gave none are absent. */
export async function feedbackOf(
  db: Queryable,
  ids: readonly SubscriberId[],
): Promise<Map<SubscriberId, Feedback>> {
  const rows = await db
    .selectFrom('feedback')
    .select(['subscriber_id', 'paper_id', 'verdict'])
    .where('subscriber_id', '=', sql<number>`any(${[...ids]}::bigint[])`)
    .orderBy('given_at', 'desc')
    .orderBy('paper_id')
    .execute();
  const found = new Map<SubscriberId, Feedback>();
  for (const row of rows) {
    const id = row.subscriber_id as SubscriberId;
    let feedback = found.get(id);
    if (!feedback) found.set(id, (feedback = { likes: [], dislikes: [], notNow: [] }));
    feedback[LIST_OF[row.verdict as Verdict]].push(row.paper_id as PaperId);
  }
  return found;
}

/** Stores a verdict, replacing an earlier one; false when there is no such paper. */
export async function putFeedback(
  tx: Queryable,
  id: SubscriberId,
  paper: PaperId,
  verdict: Verdict,
  now: Date,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into feedback (subscriber_id, paper_id, verdict, given_at)
    select ${id}, id, ${verdict}, ${now} from papers where id = ${paper}
    on conflict (subscriber_id, paper_id) do update set verdict = excluded.verdict, given_at = excluded.given_at`.execute(
    tx,
  );
  return numAffectedRows === 1n;
}

/** Takes verdicts back: of one paper, or all. */
export async function removeFeedback(tx: Queryable, id: SubscriberId, paper?: PaperId): Promise<void> {
  const query = tx.deleteFrom('feedback').where('subscriber_id', '=', id);
  await (paper === undefined ? query : query.where('paper_id', '=', paper)).execute();
}

/** Papers that readers marked "more" or "less" or follow as examples, the most recently marked first. */
export async function markedPapers(db: Queryable, limit = 5000): Promise<PaperId[]> {
  const { rows } = await sql<{ id: PaperId }>`
    select paper_id as id from (
      select paper_id, max(given_at) as at from feedback where verdict in ('more', 'less') group by 1
      union all
      select n.paper_id, max(f.created_at) from follows f
        join topics t on t.id = f.topic_id and t.kind = 'paper'
        join paper_identifiers n on n.identifier = t.value
        group by 1) marked
    group by 1 order by max(at) desc, 1 limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}
