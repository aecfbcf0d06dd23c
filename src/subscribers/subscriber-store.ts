import { type SelectQueryBuilder, sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, SubscriberId } from '#src/database/ids.ts';
import type { DB } from '#src/database/tables.ts';
import type { Frequency, Preferences, Recipient, Subscriber, SubscriberState } from './subscriber.ts';

const COLUMNS = [
  'id',
  'public_id',
  'email',
  'state',
  'timezone',
  'hour',
  'frequency',
  'weekdays',
  'papers_per_digest',
  'dial',
  'fill_with_trending',
  'tell_nothing_today',
  'sections',
  'images',
  'language',
  'next_digest_at',
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

function selectSubscribers(db: Queryable) {
  return db.selectFrom('subscribers').select(COLUMNS);
}

type Row =
  ReturnType<typeof selectSubscribers> extends SelectQueryBuilder<DB, 'subscribers', infer R> ? R : never;

const fromRow = (row: Row): StoredSubscriber => ({
  id: row.id as SubscriberId,
  publicId: row.public_id,
  email: row.email,
  state: row.state as SubscriberState,
  timezone: row.timezone,
  hour: row.hour,
  frequency: row.frequency as Frequency,
  weekdays: row.weekdays,
  papersPerDigest: row.papers_per_digest,
  dial: row.dial,
  fillWithTrending: row.fill_with_trending,
  tellNothingToday: row.tell_nothing_today,
  sections: row.sections,
  images: row.images,
  language: row.language,
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
  const row = await (options.lock ? query.forUpdate() : query).executeTakeFirst();
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
  const rows = await db
    .selectFrom('subscribers')
    .select(['id', 'public_id', 'email', 'state', 'language', 'timezone', 'link_epoch', 'sections', 'images'])
    .where('id', '=', sql<number>`any(${[...ids]}::bigint[])`)
    .execute();
  return new Map(
    rows.map((row) => [
      row.id as SubscriberId,
      {
        id: row.id as SubscriberId,
        publicId: row.public_id,
        email: row.email,
        state: row.state as SubscriberState,
        language: row.language,
        timezone: row.timezone,
        linkEpoch: row.link_epoch,
        sections: row.sections,
        images: row.images,
      },
    ]),
  );
}

/** A due reader: what planning needs. `nextDigestAt` is the slot that is due. */
export type DueSubscriber = Preferences & {
  readonly id: SubscriberId;
  readonly nextDigestAt: Date;
  readonly confirmedAt: Date | null;
  /** This will be the first digest. */
  readonly welcomeDue: boolean;
};

/**
 * Claims readers whose digest is due, the longest due first, for the length of the caller's transaction:
 * rows that another planner holds are passed over (`FOR UPDATE SKIP LOCKED`). Move them on with
 * {@link setNextDigestAt} in the same transaction.
 * @param now readers with `next_digest_at` at or before it are due
 */
export async function claimDue(tx: Queryable, now: Date, limit: number): Promise<DueSubscriber[]> {
  const rows = await selectSubscribers(tx)
    .where('state', '=', 'active')
    .where('next_digest_at', '<=', now)
    .orderBy('next_digest_at')
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map((row) => ({ ...fromRow(row), nextDigestAt: row.next_digest_at as Date }));
}

/** One active reader as {@link claimDue} would claim it, whatever `next_digest_at` says; null when there is none. */
export async function claimOne(tx: Queryable, id: SubscriberId): Promise<DueSubscriber | null> {
  const subscriber = await findSubscriber(tx, { id }, { lock: true });
  if (subscriber?.state !== 'active' || !subscriber.nextDigestAt) return null;
  return { ...subscriber, nextDigestAt: subscriber.nextDigestAt };
}

/** Moves `next_digest_at` of many readers in one statement. */
export async function setNextDigestAt(
  tx: Queryable,
  rows: readonly { readonly id: SubscriberId; readonly nextDigestAt: Date | null }[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.id);
  const times = rows.map((row) => row.nextDigestAt?.toISOString() ?? null);
  await sql`
    update subscribers set next_digest_at = moved.at, welcome_due = false
    from unnest(${ids}::bigint[], ${times}::timestamptz[]) as moved (id, at)
    where subscribers.id = moved.id`.execute(tx);
}

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

/** Columns that a use case may change. */
export type SubscriberChange = Partial<
  Preferences & {
    email: string | null;
    emailKey: string | null;
    state: SubscriberState;
    nextDigestAt: Date | null;
    welcomeDue: boolean;
    pausedUntil: IsoDate | null;
    confirmedAt: Date;
    linkEpoch: number;
    feedEpoch: number;
  }
>;

const COLUMN_OF: Record<keyof SubscriberChange, string> = {
  email: 'email',
  emailKey: 'email_key',
  state: 'state',
  nextDigestAt: 'next_digest_at',
  welcomeDue: 'welcome_due',
  pausedUntil: 'paused_until',
  confirmedAt: 'confirmed_at',
  linkEpoch: 'link_epoch',
  feedEpoch: 'feed_epoch',
  timezone: 'timezone',
  hour: 'hour',
  frequency: 'frequency',
  weekdays: 'weekdays',
  papersPerDigest: 'papers_per_digest',
  dial: 'dial',
  fillWithTrending: 'fill_with_trending',
  tellNothingToday: 'tell_nothing_today',
  sections: 'sections',
  images: 'images',
  language: 'language',
};

/** Changes one reader. Lock the row first when the change depends on what it was. */
export async function changeSubscriber(
  tx: Queryable,
  id: SubscriberId,
  change: SubscriberChange,
  now: Date,
): Promise<void> {
  const set = Object.fromEntries(
    Object.entries(change).map(([key, value]) => [COLUMN_OF[key as keyof SubscriberChange], value]),
  );
  await tx
    .updateTable('subscribers')
    .set({ ...set, updated_at: now })
    .where('id', '=', id)
    .execute();
}

/** Paused readers whose pause has an end on or before `date`, locked for the caller's transaction. */
export async function claimEndedPauses(
  tx: Queryable,
  date: IsoDate,
  limit: number,
): Promise<StoredSubscriber[]> {
  const rows = await selectSubscribers(tx)
    .where('state', '=', 'paused')
    .where('paused_until', '<=', date)
    .orderBy('paused_until')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(fromRow);
}

/** Forgets everything that names a person; the row stays, nameless, because the ledger speaks of it. */
async function forgetSubscriber(tx: Queryable, id: SubscriberId): Promise<void> {
  for (const table of ['follows', 'feedback', 'confirmations', 'notices'] as const)
    await tx.deleteFrom(table).where('subscriber_id', '=', id).execute();
  await tx
    .updateTable('events')
    .set({ ip: null, user_agent: null, detail: JSON.stringify({}) })
    .where('subscriber_id', '=', id)
    .execute();
}

/** Erases a reader: address, follows, feedback and links are gone, the events stay without where they came from. */
export async function retireSubscriber(
  tx: Queryable,
  subscriber: StoredSubscriber,
  now: Date,
): Promise<void> {
  await forgetSubscriber(tx, subscriber.id);
  const epochs = { linkEpoch: subscriber.linkEpoch + 1, feedEpoch: subscriber.feedEpoch + 1 };
  const nameless = { email: null, emailKey: null, pausedUntil: null, nextDigestAt: null };
  await changeSubscriber(tx, subscriber.id, { ...nameless, ...epochs, state: 'unsubscribed' }, now);
}
