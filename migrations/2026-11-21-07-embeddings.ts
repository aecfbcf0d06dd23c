import { type Kysely, sql } from 'kysely';

/**
 * Vectors of papers and phrases by model. A text is known by its hash only: a paper whose abstract changes gets a new
 * vector, and nothing here leads to a reader. Frozen: change it with a new migration, never here.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table embeddings (
      -- the model's name and the length asked for, which make vectors comparable
      model text not null,
      -- SHA-256 of the text as it was sent
      text_hash bytea not null,
      -- unit vector of float16, little-endian; null: the endpoint takes no such text
      vector bytea,
      -- when it was last wanted, to the week: what no one wants any more is removed
      wanted_on date not null,
      primary key (model, text_hash)
    )`.execute(db);
}
