import { type Kysely, sql } from 'kysely';

/** How fast mail may go out, and where it pauses: one row per limit, shared by all workers. Frozen. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table throttles (
      -- 'global' | 'domain:example.org' | 'warm-up:2026-11-21'
      key text primary key,
      -- messages that may go now; refilled with time
      tokens double precision not null,
      refilled_at timestamptz not null default clock_timestamp(),
      -- a domain that answers 421 or 4.7.x is left alone until then
      paused_until timestamptz,
      -- such answers in a row: the pause doubles with each
      refusals integer not null default 0
    )`.execute(db);
}
