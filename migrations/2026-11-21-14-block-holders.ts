import { type Kysely, sql } from 'kysely';

/** Which process holds a block, so that another of its machine frees what it claimed and was killed before it began. Frozen. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table digest_blocks
      -- host, boot and process as JSON; of who holds the block, or held it last
      add column holder text`.execute(db);
}
