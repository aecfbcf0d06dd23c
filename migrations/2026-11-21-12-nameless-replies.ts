import { type Kysely, sql } from 'kysely';

/** What servers said is kept without the addresses they quote, since it outlives their erasure. Frozen. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  for (const table of ['digests', 'notices'])
    await sql`
      update ${sql.table(table)}
      set reply = regexp_replace(reply, '("[^"]*"|[^[:space:]<>":;,()]+)@[^[:space:]<>"'':;,()]+', '…', 'g')
      where reply like '%@%'`.execute(db);
}
