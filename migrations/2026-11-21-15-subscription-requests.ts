import { type Kysely, sql } from 'kysely';

/**
 * Requests for subscriptions as they came in, until their readers, confirmations and mails are written: a visitor's
 * answer waits for one narrow row, and a storm of requests is worked off at a pace that leaves the rest its time. Frozen.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table subscription_requests (
      id bigint generated always as identity primary key,
      email text not null,
      email_key text not null,
      -- what was asked for with the address
      choices jsonb not null,
      ip inet,
      user_agent text,
      requested_at timestamptz not null
    )`.execute(db);
}
