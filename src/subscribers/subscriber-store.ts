import { sql } from 'kysely';
import { bigints, PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, SubscriberId } from '#src/database/ids.ts';
import type { Frequency, Preferences, Recipient, Subscriber, SubscriberState } from './subscriber.ts';

/** What {@link preferencesOf} reads. */
export const PREFERENCE_COLUMNS = [
  'timezone',
  'hour',
  'frequency',
  'weekdays',
  'papers_per_digest',
  'dial',
  'fill_with_trending',
  'tell_nothing_today',
  'reminders',
  'sections',
  'images',
  'language',
] as const;

const COLUMNS = [
  ...PREFERENCE_COLUMNS,
  'id',
  'public_id',
  'email',
  'state',
  'welcome_due',
  'paused_until',
  'link_epoch',
  'feed_epoch',
  'created_at',
  'confirmed_at',
] as const;

/** A reader with what only this room reads. */
export type StoredSubscriber = Subscriber & {
  /** Epoch of the personal feeds. */
  readonly feedEpoch: number;
  /** Confirmed, and the first digest not planned yet. */
  readonly welcomeDue: boolean;
};

/**
 * A query for all of a reader's columns, and when the next digest is due; read its rows with {@link fromRow}. Who locks
 * must say what: readers (`subscribers`), or their turn (`schedules`).
 */
export function selectSubscribers(db: Queryable) {
  return db
    .selectFrom('subscribers')
    .leftJoin('schedules', 'schedules.subscriber_id', 'subscribers.id')
    .select(COLUMNS)
    .select('schedules.next_digest_at');
}

type Row = Awaited<ReturnType<ReturnType<typeof selectSubscribers>['executeTakeFirstOrThrow']>>;

/** The preferences out of their columns. */
export const preferencesOf = (row: Pick<Row, (typeof PREFERENCE_COLUMNS)[number]>): Preferences => ({
  timezone: row.timezone,
  hour: row.hour,
  frequency: row.frequency as Frequency,
  weekdays: row.weekdays,
  papersPerDigest: row.papers_per_digest,
  dial: row.dial,
  fillWithTrending: row.fill_with_trending,
  tellNothingToday: row.tell_nothing_today,
  reminders: row.reminders,
  sections: row.sections,
  images: row.images,
  language: row.language,
});

/** A row of {@link selectSubscribers} as the rest of the room knows it. */
export const fromRow = (row: Row): StoredSubscriber => ({
  ...preferencesOf(row),
  id: row.id as SubscriberId,
  publicId: row.public_id,
  email: row.email,
  state: row.state as SubscriberState,
  nextDigestAt: row.next_digest_at,
  pausedUntil: row.paused_until as IsoDate | null,
  linkEpoch: row.link_epoch,
  feedEpoch: row.feed_epoch,
  welcomeDue: row.welcome_due,
  createdAt: row.created_at,
  confirmedAt: row.confirmed_at,
});

/** How to name one reader: by row id, by the public id of links, or by normalised address. */
export type SubscriberKey = { id: SubscriberId } | { publicId: string } | { emailKey: string };

/** One reader, or undefined. `lock`: keeps the row for this transaction (`FOR UPDATE`). */
export async function findSubscriber(
  db: Queryable,
  key: SubscriberKey,
  options: { lock?: boolean } = {},
): Promise<StoredSubscriber | undefined> {
  let query = selectSubscribers(db);
  if ('id' in key) query = query.where('id', '=', key.id);
  else if ('publicId' in key) query = query.where('public_id', '=', key.publicId);
  else query = query.where('email_key', '=', key.emailKey);
  const row = await (options.lock ? query.forUpdate('subscribers') : query).executeTakeFirst();
  return row && fromRow(row);
}

/** The row after a change of this transaction. */
export async function reread(tx: Queryable, id: SubscriberId): Promise<StoredSubscriber> {
  const subscriber = await findSubscriber(tx, { id });
  if (!subscriber) throw new Error(`subscriber ${id} vanished inside a transaction`);
  return subscriber;
}

/** Readers by normalised address; the unknown ones are absent. */
export async function subscribersByKeys(
  db: Queryable,
  keys: readonly string[],
): Promise<Map<string, StoredSubscriber>> {
  const rows = await selectSubscribers(db)
    .select('email_key')
    .where('email_key', '=', sql<string>`any(${[...keys]}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.email_key as string, fromRow(row)]));
}

/** A page of readers by id, for the command line and the API. `after`: last id of the page before. */
export async function listSubscribers(
  db: Queryable,
  page: { after: number; limit: number; state?: SubscriberState },
): Promise<StoredSubscriber[]> {
  let query = selectSubscribers(db).where('id', '>', page.after).orderBy('id').limit(page.limit);
  if (page.state) query = query.where('state', '=', page.state);
  return (await query.execute()).map(fromRow);
}

/** The public ids of readers by row id. */
export async function publicIds(
  db: Queryable,
  ids: readonly SubscriberId[],
): Promise<Map<SubscriberId, string>> {
  const rows = await db
    .selectFrom('subscribers')
    .select(['id', 'public_id'])
    .where('id', '=', sql<number>`any(${[...ids]}::bigint[])`)
    .execute();
  return new Map(rows.map((row) => [row.id as SubscriberId, row.public_id]));
}

/** The part of readers that composing mails needs; unknown ids are absent. */
export async function recipientsByIds(
  db: Queryable,
  ids: readonly SubscriberId[],
): Promise<Map<SubscriberId, Recipient>> {
  const { rows } = await sql<Recipient>`${PREPARED}
    select id, public_id as "publicId", email, state, language, timezone, link_epoch as "linkEpoch", sections, images
    from subscribers where id = any (${bigints(ids)})`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}
