import { type Kysely, sql } from 'kysely';

/**
 * Full-text search over papers: title (A) and abstract (B) stemmed as English, authors (C) as they are written.
 * Frozen: change it with a new migration, never here.
 */
export async function up(db: Kysely<any>): Promise<void> {
  // array_to_string is only "stable" because of other element types; for text it always gives the same.
  await sql`
    create function names_text(text[]) returns text
      language sql immutable parallel safe as $$ select array_to_string($1, ' ') $$`.execute(db);
  await sql`
    alter table papers add column search tsvector generated always as (
      setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', abstract), 'B')
      || setweight(to_tsvector('simple', names_text(authors)), 'C')) stored`.execute(db);
  await sql`create index papers_search on papers using gin (search)`.execute(db);
  await sql`create index papers_categories on papers using gin (categories)`.execute(db);
}
