import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/** Days a reader must have been confirmed before their vote counts for others. */
const SEASONED_DAYS = 3;
/** Votes of one reader a day that count: who likes everything tells nothing. */
const PER_READER_AND_DAY = 10;
/** Votes of one mail domain that count for a paper: addresses at one's own domain cost nothing. */
const PER_DOMAIN = 3;
/** Days back on which votes are counted. */
const DAYS = 30;

/**
 * Turns readers' "more" into signals of their papers, as totals of the last month at `at`. Against stuffing: one vote per
 * reader and paper, of readers confirmed three days or more before they voted, the first ten of a reader's day, and three of
 * a mail domain for one paper (of the big providers as well: it is a signal, not an election). A total that hasn't
 * changed is not written again.
 * @returns how many papers got a new total
 */
export async function recordReaderVotes(database: Database, at: Date): Promise<number> {
  const { rows } = await sql`
    with votes as (
      select f.paper_id, split_part(s.email_key, '@', 2) as domain,
        row_number() over (partition by f.subscriber_id, f.given_at::date order by f.given_at, f.paper_id) as nth
      from feedback f join subscribers s on s.id = f.subscriber_id
      where f.verdict = 'more' and f.given_at <= ${at} and f.given_at > ${at}::timestamptz - make_interval(days => ${DAYS})
        and s.email_key is not null and s.confirmed_at <= f.given_at - make_interval(days => ${SEASONED_DAYS})),
    counted as (
      select paper_id, least(count(*), ${PER_DOMAIN})::int as votes from votes
      where nth <= ${PER_READER_AND_DAY} group by paper_id, domain),
    totals as (select paper_id, sum(votes)::int as value from counted group by paper_id)
    insert into signals (paper_id, kind, observed_at, value)
    select t.paper_id, 'more', ${at}, t.value from totals t
    where t.value is distinct from (
      select value from signals s where s.paper_id = t.paper_id and s.kind = 'more' and s.observed_at <= ${at}
      order by observed_at desc limit 1)
    on conflict (paper_id, kind, observed_at) do update set value = excluded.value
    returning paper_id`.execute(database);
  return rows.length;
}
