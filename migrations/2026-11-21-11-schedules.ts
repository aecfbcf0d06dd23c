import { type Kysely, sql } from 'kysely';

/**
 * When the next digest is due in a narrow table of its own: moving it on is the one thing that happens to every reader
 * every day, and it rewrote the reader's whole row and an entry in each of its four indexes. Frozen.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table schedules (
      subscriber_id bigint primary key references subscribers on delete cascade,
      next_digest_at timestamptz not null
    )`.execute(db);
  await sql`
    insert into schedules (subscriber_id, next_digest_at)
    select id, next_digest_at from subscribers where next_digest_at is not null order by id`.execute(db);
  await sql`create index schedules_due on schedules (next_digest_at, subscriber_id)`.execute(db);
  await sql`drop index subscribers_due`.execute(db);
  await sql`alter table subscribers drop column next_digest_at`.execute(db);
}
