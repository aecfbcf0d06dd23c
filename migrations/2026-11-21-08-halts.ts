import { type Kysely, sql } from 'kysely';

/** What all workers together must know of relays and domains besides rates. Frozen. */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    -- a relay refuses us as a sender: nothing is sent; one row at most
    create table delivery_halts (
      only_one boolean primary key default true check (only_one),
      raised_at timestamptz not null default clock_timestamp(),
      reply text not null,
      -- one worker tries a few messages from then on
      next_probe_at timestamptz not null,
      probes integer not null default 0
    )`.execute(db);
  await sql`
    -- how many messages each worker may have on the wire to a domain at once
    create table connection_slots (
      -- 'domain:example.org'
      key text not null,
      -- one process, by a random name
      holder text not null,
      slots integer not null,
      lease_until timestamptz not null,
      primary key (key, holder)
    )`.execute(db);
}
