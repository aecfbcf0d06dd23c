import { type Kysely, sql } from 'kysely';

/**
 * Searches authors without accents too: `author:Muller` finds Müller, and the other way round; bare words find them as they
 * are written. The query side folds the same way (`searchFold` in src/topics/names.ts). Frozen: change it with a new migration, never here.
 */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create function folded_names(text[]) returns text
      language sql immutable parallel safe as $$
        select translate(
          replace(replace(replace(replace(
            lower(regexp_replace(normalize(array_to_string($1, ' '), nfkd), '[\\u0300-\\u036f''’ʼ\`]', '', 'g')),
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
          'øđðłıħŋ', 'oddlihn')
      $$`.execute(db);
  await sql`alter table papers drop column search`.execute(db);
  await sql`
    alter table papers add column search tsvector generated always as (
      setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', abstract), 'B')
      || setweight(to_tsvector('simple', names_text(authors)), 'C')
      || setweight(to_tsvector('simple', folded_names(authors)), 'C')) stored`.execute(db);
  await sql`create index papers_search on papers using gin (search)`.execute(db);
}
