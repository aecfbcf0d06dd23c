import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import type { Preferences } from './subscriber.ts';

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
    with new as materialized (select * from unnest(
      ${rows.map((row) => row.address.email)}::text[],
      ${rows.map((row) => row.address.key)}::text[],
      ${rows.map((row) => row.timezone)}::text[],
      ${rows.map((row) => row.hour)}::smallint[],
      ${rows.map((row) => row.frequency)}::text[],
      ${rows.map((row) => row.nextDigestAt.toISOString())}::timestamptz[]
    ) as new (email, key, timezone, hour, frequency, next_digest_at)), added as (
      insert into subscribers
        (email, email_key, state, timezone, hour, frequency, created_at, confirmed_at, updated_at)
      select email, key, 'active', timezone, hour, frequency, ${now}::timestamptz, ${now}, ${now} from new order by key
      on conflict (email_key) do nothing
      returning id, email_key
    ), scheduled as (
      insert into schedules (subscriber_id, next_digest_at)
      select id, next_digest_at from added join new on key = email_key
    ) select id, email_key from added`.execute(tx);
  return new Map(inserted.rows.map((row) => [row.email_key, row.id]));
}
