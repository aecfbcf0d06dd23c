import { type Kysely, sql } from 'kysely';

/** Reminders of papers that a reader put aside, for those who want them. Frozen: change it with a new migration, never here. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`alter table subscribers add column reminders boolean not null default false`.execute(db);
  // When the reminder of a paper marked "not now" was planned: there is one at most.
  await sql`alter table feedback add column reminded_at timestamptz`.execute(db);
}
