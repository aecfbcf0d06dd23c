import { isDeepStrictEqual } from 'node:util';
import type { IsoDate, PaperId } from '#src/database/ids.ts';
import type { Verdict } from '#src/mail/links.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';
import { insertEvents } from './event-store.ts';
import { putFeedback, removeFeedback } from './feedback-store.ts';
import type { FollowPort } from './ports.ts';
import type { ReaderContext } from './reader.ts';
import { addCounts, windowStart } from './request-count-store.ts';
import { firstSlotFrom, localDate, nextDigestAt } from './schedule.ts';
import type { Preferences } from './subscriber.ts';
import { changeSubscriber } from './subscriber-change-store.ts';

/** What the preferences form sends: whatever is absent stays. `follows` (mutes included) replaces all. */
export type PreferencesChange = {
  readonly preferences?: Partial<Preferences>;
  readonly follows?: readonly Follow[];
};

const SCHEDULE = ['timezone', 'hour', 'frequency', 'weekdays'] as const;
const DAY = 86_400_000;

/** Applies a change of preferences; tells the reader by mail at most once a day, and not on the first day. */
export async function updatePreferences(
  context: ReaderContext,
  change: PreferencesChange,
  follows: FollowPort,
): Promise<{ type: 'saved' }> {
  const { tx, subscriber, now, visit } = context;
  const changed = changedOnly(subscriber, change.preferences ?? {});
  const moved = SCHEDULE.some((key) => key in changed);
  if (Object.keys(changed).length > 0) {
    const slot =
      moved && subscriber.state === 'active'
        ? { nextDigestAt: nextDigestAt({ ...subscriber, ...changed }, now) }
        : {};
    await changeSubscriber(tx, subscriber.id, { ...changed, ...slot }, now);
    await insertEvents(
      tx,
      [{ subscriberId: subscriber.id, kind: 'preferences', visit, detail: changed }],
      now,
    );
  }
  if (change.follows) {
    await follows.replaceFollows(subscriber.id, change.follows, tx);
    const detail = { count: change.follows.length };
    await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'follows', visit, detail }], now);
  }
  if (moved && (await isWorthAMail(context))) await context.notify({ kind: 'preferences-changed' });
  return { type: 'saved' };
}

function changedOnly(before: Preferences, wanted: Partial<Preferences>): Partial<Preferences> {
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([key, value]) => value !== undefined && !isDeepStrictEqual(before[key as keyof Preferences], value),
    ),
  );
}

async function isWorthAMail({ tx, subscriber, now }: ReaderContext): Promise<boolean> {
  if (subscriber.state !== 'active' || !subscriber.confirmedAt) return false;
  if (now.getTime() - subscriber.confirmedAt.getTime() < DAY) return false;
  const key = `preferences-changed:${subscriber.id}`;
  const counts = await addCounts(tx, [{ key, windowStart: windowStart(now, 86_400), add: 1 }]);
  return counts.get(key) === 0;
}

/** `until`: the local date of the first digest again; null: until the reader comes back. */
export async function pause(
  context: ReaderContext,
  until: IsoDate | null,
): Promise<{ type: 'paused' | 'not-active' | 'date-passed' }> {
  const { tx, subscriber, now, visit } = context;
  if (subscriber.state !== 'active' && subscriber.state !== 'paused') return { type: 'not-active' };
  if (until !== null && until <= localDate(subscriber.timezone, now)) return { type: 'date-passed' };
  await changeSubscriber(tx, subscriber.id, { state: 'paused', pausedUntil: until, nextDigestAt: null }, now);
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'paused', visit, detail: { until } }], now);
  if (subscriber.state === 'active') await context.notify({ kind: 'paused', until });
  return { type: 'paused' };
}

/**
 * Ends a pause; for readers who are not paused it changes nothing.
 * @param ended true when its date has come: the slot of that date counts even where it has just passed
 */
export async function resume(
  context: ReaderContext,
  ended = false,
): Promise<{ type: 'resumed' | 'not-paused' }> {
  const { tx, subscriber, now, visit } = context;
  if (subscriber.state !== 'paused') return { type: 'not-paused' };
  const slot = ended && subscriber.pausedUntil ? firstSlotFrom(subscriber, subscriber.pausedUntil) : null;
  const change = {
    state: 'active',
    pausedUntil: null,
    nextDigestAt: slot ?? nextDigestAt(subscriber, now),
  } as const;
  await changeSubscriber(tx, subscriber.id, change, now);
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'resumed', visit }], now);
  await context.notify({ kind: 'resumed' });
  return { type: 'resumed' };
}

/** Mutes a topic (a follow of weight -1), or stops following or muting it. */
export async function changeTopic(
  context: ReaderContext,
  topic: TopicRef,
  action: 'mute' | 'unfollow',
  follows: FollowPort,
): Promise<{ type: 'done' }> {
  const { tx, subscriber, now, visit } = context;
  if (action === 'mute') await follows.setFollow(subscriber.id, { ...topic, weight: -1 }, tx);
  else await follows.removeFollow(subscriber.id, topic, tx);
  const detail = { action, ...topic };
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'follows', visit, detail }], now);
  return { type: 'done' };
}

/** Stores what the reader said of a paper; a later verdict replaces an earlier one. */
export async function giveFeedback(
  context: ReaderContext,
  paper: PaperId,
  verdict: Verdict,
): Promise<{ type: 'done' | 'unknown-paper' }> {
  const { tx, subscriber, now, visit } = context;
  if (!(await putFeedback(tx, subscriber.id, paper, verdict, now))) return { type: 'unknown-paper' };
  const detail = { paper, verdict };
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'feedback', visit, detail }], now);
  return { type: 'done' };
}

/** Forgets what was learned from one paper, or from all. */
export async function forgetFeedback(context: ReaderContext, paper?: PaperId): Promise<{ type: 'done' }> {
  const { tx, subscriber, now, visit } = context;
  await removeFeedback(tx, subscriber.id, paper);
  const detail = { forgotten: paper ?? 'all' };
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'feedback', visit, detail }], now);
  return { type: 'done' };
}

/** Makes every link mailed so far worthless (`links`), or the personal feeds' addresses (`feeds`). */
export async function revoke(context: ReaderContext, what: 'links' | 'feeds'): Promise<{ type: 'done' }> {
  const { tx, subscriber, now, visit } = context;
  const change =
    what === 'links' ? { linkEpoch: subscriber.linkEpoch + 1 } : { feedEpoch: subscriber.feedEpoch + 1 };
  await changeSubscriber(tx, subscriber.id, change, now);
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: `${what}-revoked`, visit }], now);
  return { type: 'done' };
}
