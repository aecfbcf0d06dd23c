import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import type { Visit } from './ports.ts';

/** What changed a subscription. */
export type EventKind =
  | 'requested'
  | 'request-capped'
  | 'confirmed'
  | 'preferences'
  | 'follows'
  | 'paused'
  | 'resumed'
  | 'address-requested'
  | 'address-agreed'
  | 'address-changed'
  | 'unsubscribed'
  | 'undone'
  | 'feedback'
  | 'links-revoked'
  | 'feeds-revoked'
  | 'imported'
  | 'erased';

/** One entry of the audit: who, what, from where, and the details (never an address). */
export type NewEvent = {
  readonly subscriberId: SubscriberId | null;
  readonly kind: EventKind;
  readonly visit: Visit | null;
  readonly detail?: object;
};

/** Writes events in one statement. */
export async function insertEvents(tx: Queryable, events: readonly NewEvent[], now: Date): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into events (subscriber_id, kind, at, ip, user_agent, detail)
    select subscriber_id, kind, ${now}, ip, user_agent, detail from unnest(
      ${events.map((event) => event.subscriberId)}::bigint[],
      ${events.map((event) => event.kind)}::text[],
      ${events.map((event) => event.visit?.ip ?? null)}::inet[],
      ${events.map((event) => event.visit?.userAgent?.slice(0, 300) ?? null)}::text[],
      ${events.map((event) => JSON.stringify(event.detail ?? {}))}::jsonb[]
    ) as new (subscriber_id, kind, ip, user_agent, detail)`.execute(tx);
}

/** Everything that happened to one reader's subscription, oldest first. */
export async function eventsOf(db: Queryable, id: SubscriberId) {
  return db
    .selectFrom('events')
    .select(['kind', 'at', 'ip', 'user_agent as userAgent', 'detail'])
    .where('subscriber_id', '=', id)
    .orderBy('id')
    .execute();
}
