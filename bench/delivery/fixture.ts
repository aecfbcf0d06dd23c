import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { utcDate } from '#src/database/ids.ts';

/** Papers of the bench's edition. */
const PAPERS = 200;

/** Words of no meaning, so that abstracts differ and have the length of real ones (about 1,300 characters). */
const abstractSql = sql`(
  select string_agg(substr('attention transformer gradient policy diffusion latent retrieval benchmark alignment token entropy kernel manifold prior ', 1 + ((n * 31 + w * 17) % 97), 12), ' ')
  from generate_series(1, 100) w)`;

/** Who is made, and who of them is due. */
export type Fixture = {
  readonly readers: number;
  /** So many of them are due now, the others tomorrow. */
  readonly due: number;
};

/** Empties the ledger and makes readers, and the papers where there are none. */
export async function fillBench(database: Database, { readers, due }: Fixture): Promise<void> {
  const edition = utcDate(new Date());
  await sql`truncate digests, digest_contents, digest_blocks, subscribers cascade`.execute(database);
  await sql`
    insert into papers (identity, arxiv_id, title, abstract, authors, categories, first_listed_on, published_at)
    select 'arxiv:2606.' || (10000 + n), '2606.' || (10000 + n), 'A study of number ' || n || ' in the latent space of things',
           ${abstractSql}, array['Ada Lovelace', 'Emmy Noether', 'Author ' || n], array['cs.LG', 'cs.CL'],
           ${edition}::date, now()
    from generate_series(1, ${sql.lit(PAPERS)}) as n on conflict do nothing`.execute(database);
  await sql`
    insert into subscribers (email, email_key, state, hour, created_at, confirmed_at)
    select 'reader' || n || '@example.org', 'reader' || n || '@example.org', 'active', 7, now(), now()
    from generate_series(1, ${readers}::int) as n`.execute(database);
  await sql`
    insert into schedules (subscriber_id, next_digest_at)
    select id, ${dueOf(due)} from subscribers where state = 'active'`.execute(database);
  await sql`analyze subscribers, schedules`.execute(database);
}

/**
 * The next day: so many readers are due again, and autovacuum has long seen to what the edition before left (which stays in the ledger, as it does
 * in a service).
 */
export async function makeDue(database: Database, due: number): Promise<void> {
  await sql`
    update schedules set next_digest_at = ${dueOf(due)}
    from subscribers where id = subscriber_id`.execute(database);
  await sql`vacuum (analyze) schedules, digests, digest_contents, digest_blocks`.execute(database);
}

/** The first `due` readers in the order of their addresses' numbers, which are their ids': a minute ago. */
const dueOf = (due: number) =>
  sql`case when substr(email, 7, strpos(email, '@') - 7)::int <= ${due}::int then now() - interval '1 minute' else now() + interval '1 day' end`;
