import { sql } from 'kysely';
import { bigints, PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { PaperId, SubscriberId } from '#src/database/ids.ts';
import type { Verdict } from '#src/mail/links.ts';

/** What one reader said of papers, the newest first. */
export type Feedback = { likes: PaperId[]; dislikes: PaperId[]; notNow: PaperId[] };

const LIST_OF: Record<Verdict, keyof Feedback> = { more: 'likes', less: 'dislikes', not_now: 'notNow' };

/** Feedback of many readers; those who gave none are absent. */
export async function feedbackOf(
  db: Queryable,
  ids: readonly SubscriberId[],
): Promise<Map<SubscriberId, Feedback>> {
  // One row a reader and verdict, for the driver's sake.
  const { rows } = await sql<{ subscriber: SubscriberId; verdict: Verdict; papers: PaperId[] }>`${PREPARED}
    select subscriber_id as subscriber, verdict, array_agg(paper_id order by given_at desc, paper_id) as papers
    from feedback where subscriber_id = any(${bigints(ids)}) group by 1, 2`.execute(db);
  const found = new Map<SubscriberId, Feedback>();
  for (const { subscriber, verdict, papers } of rows) {
    let feedback = found.get(subscriber);
    if (!feedback) found.set(subscriber, (feedback = { likes: [], dislikes: [], notNow: [] }));
    feedback[LIST_OF[verdict]] = papers;
  }
  return found;
}

/** A verdict of one reader on a paper, as the reader may take it along. */
export type GivenFeedback = {
  readonly verdict: Verdict;
  /** The paper's identity. */
  readonly paper: string;
  readonly title: string;
  readonly givenAt: Date;
  /** When the reminder of a paper put aside was planned; null where there was none. */
  readonly remindedAt: Date | null;
};

/** Everything a reader said of papers, the newest first. */
export async function feedbackInFull(db: Queryable, id: SubscriberId): Promise<GivenFeedback[]> {
  const { rows } = await sql<GivenFeedback>`
    select f.verdict, p.identity as paper, p.title, f.given_at as "givenAt", f.reminded_at as "remindedAt"
    from feedback f join papers p on p.id = f.paper_id
    where f.subscriber_id = ${id} order by f.given_at desc, f.paper_id`.execute(db);
  return rows;
}

/** A paper marked "not now", and when. */
export type AsidePaper = { readonly paper: PaperId; readonly at: Date };

/** Papers that readers put aside at or before an instant, with no reminder so far and not withdrawn, the oldest first. */
export async function putAside(
  db: Queryable,
  ids: readonly SubscriberId[],
  before: Date,
): Promise<Map<SubscriberId, AsidePaper[]>> {
  const { rows } = await sql<AsidePaper & { subscriber: SubscriberId }>`
    select f.subscriber_id as subscriber, f.paper_id as paper, f.given_at as at
    from feedback f join papers p on p.id = f.paper_id
    where f.subscriber_id = any(${[...ids]}::bigint[]) and f.verdict = 'not_now' and f.reminded_at is null
      and f.given_at <= ${before} and p.withdrawn_at is null
    order by f.given_at, f.paper_id`.execute(db);
  const found = Map.groupBy(rows, ({ subscriber }) => subscriber);
  return new Map([...found].map(([id, own]) => [id, own.map(({ paper, at }) => ({ paper, at }))]));
}

/** Notes that readers get reminders of papers: there is no second one. */
export async function markReminded(
  tx: Queryable,
  rows: readonly { readonly subscriber: SubscriberId; readonly paper: PaperId }[],
  at: Date,
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    update feedback set reminded_at = ${at}
    from unnest(${rows.map(({ subscriber }) => subscriber)}::bigint[], ${rows.map(({ paper }) => paper)}::bigint[])
      as shown (subscriber_id, paper_id)
    where feedback.subscriber_id = shown.subscriber_id and feedback.paper_id = shown.paper_id`.execute(tx);
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
