import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, SubscriberId } from '#src/database/ids.ts';
import type { Preferences, SubscriberState } from './subscriber.ts';
import type { StoredSubscriber } from './subscriber-store.ts';

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

const COLUMN_OF: Record<Exclude<keyof SubscriberChange, 'nextDigestAt'>, string> = {
  email: 'email',
  emailKey: 'email_key',
  state: 'state',
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
  reminders: 'reminders',
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
  const { nextDigestAt, ...columns } = change;
  const set = Object.fromEntries(
    Object.entries(columns).map(([key, value]) => [COLUMN_OF[key as keyof typeof columns], value]),
  );
  await tx
    .updateTable('subscribers')
    .set({ ...set, updated_at: now })
    .where('id', '=', id)
    .execute();
  if (nextDigestAt !== undefined) await changeSchedule(tx, id, nextDigestAt);
}

async function changeSchedule(tx: Queryable, id: SubscriberId, nextDigestAt: Date | null): Promise<void> {
  if (nextDigestAt === null) {
    await tx.deleteFrom('schedules').where('subscriber_id', '=', id).execute();
    return;
  }
  await tx
    .insertInto('schedules')
    .values({ subscriber_id: id, next_digest_at: nextDigestAt })
    .onConflict((conflict) => conflict.column('subscriber_id').doUpdateSet({ next_digest_at: nextDigestAt }))
    .execute();
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
  const epochs = { linkEpoch: subscriber.linkEpoch + 1, feedEpoch: subscriber.feedEpoch + 1 };
  const nameless = { email: null, emailKey: null, pausedUntil: null, nextDigestAt: null };
  // The schedule before the feedback, as planning takes them: the other way round they could wait for each other.
  await changeSubscriber(tx, subscriber.id, { ...nameless, ...epochs, state: 'unsubscribed' }, now);
  await forgetSubscriber(tx, subscriber.id);
}
