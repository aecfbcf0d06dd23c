import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import type { Preferences, Subscriber } from './subscriber.ts';
import { subscribersByKeys } from './subscriber-store.ts';

/**
 * The readers of these addresses, made as pending ones where an address is not known yet; known ones are left as they
 * are. By normalised address, in one statement.
 */
export async function findOrInsertPending(
  tx: Queryable,
  addresses: readonly { readonly email: string; readonly key: string }[],
  now: Date,
): Promise<Map<string, Contact>> {
  const emails = addresses.map((address) => address.email);
  const keys = addresses.map((address) => address.key);
  // Ordered, so that two batches with the same addresses wait for each other instead of deadlocking.
  const { rows } = await sql<Contact & { key: string }>`
    with made as (
      insert into subscribers (email, email_key, state, created_at, updated_at)
      select email, key, 'pending', ${now}, ${now}
      from unnest(${emails}::text[], ${keys}::text[]) as wanted (email, key) order by key
      on conflict (email_key) do nothing
      returning id, email, language, email_key as key)
    select * from made
    union all
    select id, email, language, email_key from subscribers where email_key = any(${keys}::text[])`.execute(
    tx,
  );
  const found = new Map(rows.map((row) => [row.key, row]));
  // Made by somebody else while this statement ran: it neither made nor saw them.
  const missing = keys.filter((key) => !found.has(key));
  if (missing.length > 0)
    for (const [key, one] of await subscribersByKeys(tx, missing)) found.set(key, { ...one, key });
  return found;
}

/** Whom to write to, and in which language. */
export type Contact = Pick<Subscriber, 'id' | 'email' | 'language'>;

/** Creates active readers; answers their ids by normalised address, without those known already. */
export async function insertActive(
  tx: Queryable,
  rows: readonly (Pick<Preferences, 'timezone' | 'hour' | 'frequency'> & {
    readonly address: { readonly email: string; readonly key: string };
    readonly nextDigestAt: Date;
  })[],
  now: Date,
): Promise<Map<string, SubscriberId>> {
  const inserted = await sql<{ id: SubscriberId; email_key: string }>`
    insert into subscribers
      (email, email_key, state, timezone, hour, frequency, next_digest_at, created_at, confirmed_at, updated_at)
    select email, key, 'active', timezone, hour, frequency, next_digest_at, ${now}, ${now}, ${now} from unnest(
      ${rows.map((row) => row.address.email)}::text[],
      ${rows.map((row) => row.address.key)}::text[],
      ${rows.map((row) => row.timezone)}::text[],
      ${rows.map((row) => row.hour)}::smallint[],
      ${rows.map((row) => row.frequency)}::text[],
      ${rows.map((row) => row.nextDigestAt.toISOString())}::timestamptz[]
    ) as new (email, key, timezone, hour, frequency, next_digest_at) order by key
    on conflict (email_key) do nothing
    returning id, email_key`.execute(tx);
  return new Map(inserted.rows.map((row) => [row.email_key, row.id]));
}
