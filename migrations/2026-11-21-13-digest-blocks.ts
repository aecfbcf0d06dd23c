import { type Kysely, sql } from 'kysely';

/**
 * A claim is of a block of the ledger and not of its rows: one small row says who holds the block and which of its
 * digests may be on the wire, where each digest was rewritten twice for it. What is still to be done is found through the
 * blocks that are open; no index of `digests` names what changes when a digest is sent, so that its one change is made in place ("HOT").
 * Stop the workers first: what a claim held goes back to `planned`. Frozen.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table digest_blocks (
      -- the lowest id of the block, a multiple of 500
      first_id bigint not null,
      edition_date date not null,
      -- some of its digests are planned or deferred, or may be: what is not open is not looked at again
      open boolean not null default true,
      -- raised whenever a digest is put back to be sent, so that nobody closes the block who has not seen it
      version bigint not null default 0,
      -- who holds the block (fencing token), until when, and since when by the clock of the worker
      lease_token bigint,
      lease_until timestamptz,
      claimed_at timestamptz,
      -- ids handed over under this lease; those of them that are still planned or deferred may be on the wire
      handed int8multirange not null default '{}',
      primary key (first_id, edition_date)
    ) with (fillfactor = 50)`.execute(db);
  await sql`create index digest_blocks_open on digest_blocks (first_id) where open`.execute(db);

  await sql`
    update digests set state = 'planned', lease_token = null, lease_until = null where state = 'claimed'`.execute(
    db,
  );
  await sql`
    alter table digests
      drop constraint digests_state_check, drop constraint digests_in_doubt_check,
      drop constraint digests_finished_check`.execute(db);
  // A row says "handed over" only once its claim is over without a word of it: its fate is in doubt from then on.
  await sql`update digests set in_doubt = true where state = 'handed_over'`.execute(db);
  await sql`
    alter table digests
      add constraint digests_state_check check (
        state in ('sent', 'planned', 'skipped', 'deferred', 'failed', 'unknown', 'handed_over')),
      add constraint digests_in_doubt_check check (in_doubt = (state in ('unknown', 'handed_over')))`.execute(
    db,
  );
  await sql`drop index digests_open, digests_in_doubt`.execute(db);
  await sql`create index digests_in_doubt on digests (id) where in_doubt`.execute(db);

  // Room on each page for the one change of each of its rows, which adds what the server said.
  const { rows } = await sql<{ name: string }>`
    select child.relname as name from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'digests'::regclass`.execute(db);
  for (const { name } of rows) await sql`alter table ${sql.table(name)} set (fillfactor = 40)`.execute(db);

  await sql`
    insert into digest_blocks (first_id, edition_date)
    select distinct id - id % 500, edition_date from digests where state in ('planned', 'deferred') or in_doubt`.execute(
    db,
  );
  // However a row comes into the ledger, its block is open: a row of a closed block would never be sent.
  await sql`
    create function open_digest_blocks() returns trigger language plpgsql as $$
    begin
      insert into digest_blocks (first_id, edition_date)
      select distinct id - id % 500, edition_date from fresh where state in ('planned', 'deferred') order by 1, 2
      on conflict (first_id, edition_date) do update set open = true, version = digest_blocks.version + 1;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger digests_open_blocks after insert on digests referencing new table as fresh
      for each statement execute function open_digest_blocks()`.execute(db);

  // The states of DESIGN: a row is written when it is planned and when its fate is known, its block says what is between.
  await sql`
    create view digest_states as
    select d.id, d.edition_date, d.subscriber_id, d.skip_reason, d.resent,
           case when d.state not in ('planned', 'deferred') or b.lease_token is null then d.state
                when b.handed @> d.id then 'handed_over'
                when d.due_at <= b.claimed_at then 'claimed'
                else d.state end as state
    from digests d left join digest_blocks b on b.first_id = d.id - d.id % 500 and b.edition_date = d.edition_date`.execute(
    db,
  );
}
