import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { PaperId } from '#src/database/ids.ts';

/** A row that turned out to be the same work as another one. */
export type Absorption = { readonly id: PaperId; readonly into: PaperId };

/**
 * Moves everything that hangs on some rows to the rows they are the same as, and removes them: names, listings,
 * signals, feedback, and the ids kept in editions and digests. Where both were already there the survivor's stays.
 * Follows of a paper name an identifier, which moves along. A digest that shows both keeps the old id: the paper is
 * then found once.
 */
export async function absorbRows(database: Queryable, absorptions: readonly Absorption[]): Promise<void> {
  if (absorptions.length === 0) return;
  const gone = absorptions.map(({ id }) => id);
  const pairs = sql`unnest(${gone}::bigint[], ${absorptions.map(({ into }) => into)}::bigint[]) as t(id, survivor)`;
  const moves = [
    sql`update paper_identifiers set paper_id = t.survivor from ${pairs} where paper_id = t.id`,
    sql`insert into listings (paper_id, source, listed_on, kind, section, position, upvotes, seen_at)
        select t.survivor, source, listed_on, kind, section, position, upvotes, seen_at
        from listings join ${pairs} on listings.paper_id = t.id order by seen_at
        on conflict (source, listed_on, section, paper_id) do nothing`,
    sql`insert into signals (paper_id, kind, observed_at, value)
        select t.survivor, kind, observed_at, value from signals join ${pairs} on signals.paper_id = t.id
        on conflict (paper_id, kind, observed_at) do nothing`,
    sql`insert into feedback (subscriber_id, paper_id, verdict, given_at, reminded_at)
        select subscriber_id, t.survivor, verdict, given_at, reminded_at from feedback join ${pairs} on feedback.paper_id = t.id
        order by given_at desc
        on conflict (subscriber_id, paper_id) do nothing`,
    // Editions from before the paper was listed or stored can't hold its id. One pass over the rest for all rows of the batch.
    sql`update digests set paper_ids = array(
          select case when t.id is null or t.survivor = any(digests.paper_ids) then shown.id else t.survivor end
          from unnest(digests.paper_ids) with ordinality as shown(id, position) left join ${pairs} on t.id = shown.id
          order by shown.position)
        where paper_ids && ${gone}::bigint[]
          and edition_date >= (
            select min(least(created_at::date, first_listed_on)) - 2 from papers where id = any(${gone}::bigint[]))`,
    sql`update editions set candidates = array(
          select coalesce(t.survivor, listed.id) from unnest(editions.candidates) with ordinality as listed(id, position)
          left join ${pairs} on t.id = listed.id
          group by 1 order by min(listed.position))
        where candidates && ${gone}::bigint[]`,
    sql`delete from papers where id = any(${gone}::bigint[])`,
  ];
  for (const move of moves) await move.execute(database);
}
