import { type Kysely, sql } from 'kysely';

/**
 * What matching learnt from the papers: one row a fit, its arrays in pieces so that none is hard to read or write.
 * Frozen: change it with a new migration, never here.
 */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table statistics (
      version text primary key,
      fitted_at timestamptz not null,
      documents integer not null,
      average_length double precision not null,
      rank integer not null,
      -- recent papers that scores are standardised against
      background bigint[] not null
    )`.execute(db);
  await sql`
    create table statistics_parts (
      version text not null references statistics on delete cascade,
      -- which array: terms, frequencies, basis …
      name text not null,
      part integer not null,
      bytes bytea not null,
      primary key (version, name, part)
    )`.execute(db);
}
