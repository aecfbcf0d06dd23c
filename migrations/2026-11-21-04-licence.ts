import { type Kysely, sql } from 'kysely';

/** Under which licence a paper may be used, as its source names it. Frozen: change it with a new migration, never here. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  // An address for arXiv, 'cc_by_nc' and the like for bioRxiv; null where no source says
  await sql`alter table papers add column license text`.execute(db);
}
