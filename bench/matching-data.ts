import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { PaperId } from '#src/database/ids.ts';
import { createStatisticsStore } from '#src/digests/statistics-store.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import type { MatchingPaper } from '#src/matching/types.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';
import { seeded } from './ranking-metrics.ts';

/** Papers to choose from, and papers of before that readers have marked. */
export const CANDIDATES = 2000;
export const EARLIER = 3000;

/** Version of the statistics in the bench's database. */
export const STATISTICS = 'bench';

const WORDS = 6000;
const PHRASES = 3000;

/** Words of made-up papers, common ones first; `w` keeps them from being stop words. */
const word = (rank: number): string => `w${rank.toString(36)}`;

/** Log-uniform: nearly Zipf's law with exponent 1. */
const zipf = (random: () => number, size: number): number => Math.floor(size ** random()) - 1;

/** Fills a migrated database: papers, topics, and readers `1 … readers` with follows (Zipf), 30 % of them with ten likes. */
export async function fill(database: Database, readers: number): Promise<void> {
  // Rows that refer to one another by construction need no check each.
  await sql`set session_replication_role = replica`.execute(database);
  await createTopicStore({ database }).syncCatalogue();
  await addPapers(database);
  await sql`
    insert into topics (kind, value, name)
    select 'query', p, p from (
      select distinct 'w' || to_base_36(1 + n % 1500) || ' w' || to_base_36(1 + (n * 7) % 400) as p
      from generate_series(1, ${PHRASES}) as n) phrases`.execute(database);
  await sql`
    insert into subscribers (id, email, state) overriding system value
    select n, 'reader' || n || '@example.org', 'active' from generate_series(1, ${readers}) as n`.execute(
    database,
  );
  await sql`create temporary table ranked as select id, row_number() over (order by md5(id::text)) as rank from topics`.execute(
    database,
  );
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from ranked`.execute(database);
  const topics = rows[0]?.count ?? 1;
  await sql`
    insert into follows (subscriber_id, topic_id, weight)
    select distinct on (reader, id) reader, id, 1 from (
      select reader, floor(power(${topics}::float, random()))::int as rank
      from generate_series(1, ${readers}) as reader, generate_series(1, 1 + reader % 6)) drawn
    join ranked using (rank)`.execute(database);
  await sql`
    insert into feedback (subscriber_id, paper_id, verdict)
    select distinct on (reader, paper) reader, paper, 'more' from (
      select reader, ${CANDIDATES} + floor(power(${EARLIER}::float, random()))::bigint as paper
      from generate_series(1, ${readers}) as reader, generate_series(1, 13) where reader % 10 < 3) drawn`.execute(
    database,
  );
  const { earlier } = await readCandidates(database);
  const statistics = fitStatistics(earlier, STATISTICS);
  const background = earlier.slice(-statistics.background.length).map(({ id }) => id);
  await createStatisticsStore({ database }).save(statistics, background, new Date());
  await sql`analyze`.execute(database);
}

async function addPapers(database: Database): Promise<void> {
  const random = seeded(3);
  const texts = Array.from({ length: CANDIDATES + EARLIER }, () => {
    const theme = zipf(random, 300);
    const draw = (length: number): string =>
      Array.from({ length }, () =>
        word(random() < 0.3 ? theme * 17 + Math.floor(random() * 40) : zipf(random, WORDS)),
      ).join(' ');
    return {
      title: draw(9),
      abstract: draw(170),
      category: ['cs.CL', 'cs.CV', 'cs.LG', 'cs.RO'][theme % 4] as string,
    };
  });
  await sql`
    create or replace function to_base_36(n bigint) returns text language sql as $$
      select case when n < 36 then substr('0123456789abcdefghijklmnopqrstuvwxyz', n::int + 1, 1)
        else to_base_36(n / 36) || substr('0123456789abcdefghijklmnopqrstuvwxyz', (n % 36)::int + 1, 1) end $$`.execute(
    database,
  );
  await sql`
    insert into papers (id, identity, title, abstract, categories, first_listed_on) overriding system value
    select n, 'bench:' || n, title, abstract, array[category], '2026-06-01'
    from unnest(${texts.map(({ title }) => title)}::text[], ${texts.map(({ abstract }) => abstract)}::text[],
      ${texts.map(({ category }) => category)}::text[]) with ordinality as t (title, abstract, category, n)`.execute(
    database,
  );
}

type Row = { id: PaperId; identity: string; title: string; abstract: string; categories: string[] };

/** The papers of {@link fill}, candidates with a trend of their own. */
export async function readCandidates(
  database: Database,
): Promise<{ candidates: MatchingPaper[]; earlier: MatchingPaper[] }> {
  const { rows } =
    await sql<Row>`select id, identity, title, abstract, categories from papers order by id`.execute(
      database,
    );
  const papers = rows.map((row) => ({
    ...row,
    authors: [],
    organisation: null,
    keywords: [],
    listedOn: null,
    trend: ((row.id * 7919) % 1000) / 1000,
  }));
  return { candidates: papers.slice(0, CANDIDATES), earlier: papers.slice(CANDIDATES) };
}
