import { type Kysely, sql } from 'kysely';

/**
 * The content of a digest in a table of its own: a state change rewrites the whole row of the ledger, so that row must
 * be small, and what its indexes name must not change while a digest is on its way (then PostgreSQL updates in place,
 * "HOT", without touching an index). Moves the rows that are there. Frozen.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table digest_contents (
      digest_id bigint not null,
      edition_date date not null,
      -- beside each of the digest's paper_ids its reasons; json, not jsonb: it is only ever read whole
      reasons json not null default '[]',
      -- how many candidates there were, and how many of them the reader had had (null: not noted)
      candidates integer not null default 0,
      had integer,
      primary key (digest_id, edition_date)
    ) partition by range (edition_date)`.execute(db);
  await sql`create table digest_contents_default partition of digest_contents default`.execute(db);
  const { rows } = await sql<{ name: string; bounds: string }>`
    select child.relname as name, pg_get_expr(child.relpartbound, child.oid) as bounds
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'digests'::regclass`.execute(db);
  for (const { name, bounds } of rows) {
    // Room on each page for the next versions of its rows.
    await sql`alter table ${sql.table(name)} set (fillfactor = 50)`.execute(db);
    if (bounds === 'DEFAULT') continue;
    const contents = sql.table(name.replace('digests', 'digest_contents'));
    await sql`create table ${contents} partition of digest_contents ${sql.raw(bounds)}`.execute(db);
  }
  await sql`
    insert into digest_contents (digest_id, edition_date, reasons, candidates, had)
    select id, edition_date, coalesce((content->'reasons')::json, '[]'), coalesce((content->>'candidates')::int, 0),
           (content->>'had')::int
    from digests`.execute(db);
  await sql`
    alter table digests drop column content,
      -- the same as state = 'unknown', for an index whose predicate must not name the state
      add column in_doubt boolean not null default false`.execute(db);
  await sql`update digests set in_doubt = true where state = 'unknown'`.execute(db);
  await sql`
    alter table digests
      add constraint digests_in_doubt_check check (in_doubt = (state = 'unknown')),
      -- the sweep looks at what is not finished: an open row that claims to be would be forgotten
      add constraint digests_finished_check check (
        finished_at is null or state not in ('planned', 'claimed', 'handed_over', 'deferred'))`.execute(db);
  await sql`drop index digests_due, digests_leased, digests_unknown`.execute(db);
  await sql`create index digests_open on digests (due_at, id) where finished_at is null`.execute(db);
  await sql`create index digests_in_doubt on digests (finished_at) where in_doubt`.execute(db);
}
