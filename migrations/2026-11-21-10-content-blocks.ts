import { type Kysely, sql } from 'kysely';

/**
 * The reasons of a block of digests in one row: a row for each digest cost PostgreSQL more than the digest itself. Ids
 * are given out in blocks of 500, so that the block is known from the id. What is shown in lists lies beside the papers
 * in the ledger. Moves the rows that are there. Frozen.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table digests
      -- how many candidates there were, and how many of them the reader had had (null: not noted)
      add column candidates integer not null default 0,
      add column had integer`.execute(db);
  await sql`
    update digests d set candidates = t.candidates, had = t.had
    from digest_contents t where t.digest_id = d.id and t.edition_date = d.edition_date`.execute(db);
  const { rows } = await sql<{ name: string; bounds: string }>`
    select child.relname as name, pg_get_expr(child.relpartbound, child.oid) as bounds
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'digest_contents'::regclass`.execute(db);
  await sql`alter table digest_contents rename to digest_contents_before`.execute(db);
  for (const { name } of rows)
    await sql`alter table ${sql.table(name)} rename to ${sql.table(`${name}_before`)}`.execute(db);
  await sql`
    create table digest_contents (
      -- the lowest id of the block, a multiple of 500
      first_id bigint not null,
      edition_date date not null,
      -- a line for each id from first_id on: JSON, beside each of the digest's paper_ids its reasons
      reasons text not null,
      constraint digest_content_blocks_pkey primary key (first_id, edition_date)
    ) partition by range (edition_date)`.execute(db);
  const lz4 = await sql`
    select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)`.execute(db);
  if (lz4.rows.length > 0)
    await sql`alter table digest_contents alter column reasons set compression lz4`.execute(db);
  for (const { name, bounds } of rows)
    await sql`create table ${sql.table(name)} partition of digest_contents ${sql.raw(bounds)}`.execute(db);
  await sql`
    insert into digest_contents (first_id, edition_date, reasons)
    select b.first_id, b.edition_date, string_agg(replace(coalesce(t.reasons::text, ''), E'\n', ' '), E'\n' order by n)
    from (select distinct digest_id - digest_id % 500 as first_id, edition_date from digest_contents_before) b
    cross join generate_series(0, 499) as n
    left join digest_contents_before t on t.digest_id = b.first_id + n and t.edition_date = b.edition_date
    group by 1, 2`.execute(db);
  await sql`drop table digest_contents_before`.execute(db);
  await sql`alter sequence digest_ids increment by 500`.execute(db);
  await sql`
    select setval('digest_ids', (last_value / 500 + 1) * 500, false) from digest_ids`.execute(db);
}
