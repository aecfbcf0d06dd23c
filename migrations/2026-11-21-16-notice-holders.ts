import { type Kysely, sql } from 'kysely';

/** Which process holds a notice, so that what a killed one had claimed is free at once. Frozen. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table notices
      -- host, boot and process as JSON; of who holds the notice, or held it last
      add column holder text`.execute(db);
  // What a journal settles is found by its token.
  await sql`create index notices_lease on notices (lease_token) where state in ('claimed', 'handed_over', 'unknown')`.execute(
    db,
  );
}
