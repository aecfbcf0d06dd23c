import type { Database } from '#src/database/database.ts';
import {
  addDays,
  type IsoDate,
  type NoticeId,
  type PaperId,
  type SubscriberId,
  utcDate,
} from '#src/database/ids.ts';
import type { Verdict } from '#src/mail/links.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';
import { createAddSubscribers } from './add.ts';
import { type AddressPolicy, parseAddress } from './address.ts';
import { requestAddressChange } from './address-change.ts';
import { createConfirm, createViewConfirmation } from './confirm.ts';
import { removeExpired } from './confirmation-store.ts';
import { claimEndedPauses } from './due-store.ts';
import { eventsOf } from './event-store.ts';
import { feedbackInFull, feedbackOf } from './feedback-store.ts';
import { erase, type LeavingWay, undoUnsubscribe, unsubscribe } from './leaving.ts';
import type { TakesMail } from './mail-domain.ts';
import type { FollowPort, PlanNotices, SuppressionPort, Visit } from './ports.ts';
import {
  changeTopic,
  forgetFeedback,
  giveFeedback,
  type PreferencesChange,
  pause,
  resume,
  revoke,
  updatePreferences,
} from './preferences.ts';
import { changeReader, checkReader, type NoReader, type ReaderKey } from './reader.ts';
import { createRequestSubscription } from './request.ts';
import { removeCounts } from './request-count-store.ts';
import { localDate } from './schedule.ts';
import { findSubscriber, type StoredSubscriber } from './subscriber-store.ts';
import { deriveKey, type TokenSubject, type Tokens } from './tokens.ts';
import { createWorkOffRequests, type RequestCaps } from './work-off-requests.ts';

/** What the use cases of readers need of the rest of the service. */
export type SubscriberDependencies = {
  readonly database: Database;
  /** The service's secret. */
  readonly secret: string;
  readonly tokens: Tokens;
  readonly follows: FollowPort;
  readonly suppressions: SuppressionPort;
  readonly planNotices: PlanNotices;
  /** Puts planned mails on the queue; called after commit. */
  readonly enqueueNotices: (ids: readonly NoticeId[]) => Promise<void>;
  /** Plans the first digest at once; called after commit. */
  readonly planWelcome: (id: SubscriberId) => Promise<void>;
  readonly now: () => Date;
  readonly caps: RequestCaps;
  readonly policy: AddressPolicy;
  /** Asks whether a domain takes mail; absent: nobody is asked. */
  readonly takesMail?: TakesMail;
  /** The sentence next to the subscribe button; kept with every confirmation. */
  readonly consentText: string;
  /** How long a confirmation link is good. */
  readonly confirmationHours: number;
};

/** Everything a reader, or somebody on a reader's behalf, can do: each change one transaction with its event. */
export type Subscribers = ReturnType<typeof createSubscribers>;

const ADDRESS_CHANGES_PER_DAY = 3;
const DAY = 86_400_000;

/** Wires the use cases of this room. */
export function createSubscribers(dependencies: SubscriberDependencies) {
  const deps = {
    ...dependencies,
    countKey: deriveKey(dependencies.secret, 'request-counts'),
    addressKey,
    addressChangesPerDay: ADDRESS_CHANGES_PER_DAY,
  };
  const { database, follows } = deps;
  const change = <Outcome>(
    who: ReaderKey,
    visit: Visit,
    work: Parameters<typeof changeReader<Outcome>>[3],
  ): Promise<Outcome | NoReader> => changeReader(deps, who, visit, work);

  const requests = createWorkOffRequests(deps);
  return {
    requestSubscription: createRequestSubscription({ ...deps, workOff: requests.begin }),
    /** When the requests accepted here are worked off. */
    requestsSettled: requests.settled,
    /** Works off requests that a process left behind; the `sweep` job calls it. */
    goOnWithRequests: requests.goOn,
    viewConfirmation: createViewConfirmation(deps),
    confirm: createConfirm(deps),
    addSubscribers: createAddSubscribers(deps),

    /** The reader of a link, without changing anything. */
    find: async (who: ReaderKey) =>
      checkReader(await findSubscriber(database, { publicId: who.publicId }), who.epoch),
    /** The reader of a personal feed's link, which has an epoch of its own. */
    findByFeed: async (who: TokenSubject): Promise<StoredSubscriber | NoReader> => {
      const subscriber = await findSubscriber(database, { publicId: who.publicId });
      if (!subscriber || subscriber.email === null) return { type: 'unknown' };
      return subscriber.feedEpoch === who.epoch ? subscriber : { type: 'revoked' };
    },
    followsOf: async (id: SubscriberId) => {
      const found = (await follows.followsOf([id])).get(id);
      return { follows: found?.follows ?? [], mutes: found?.mutes ?? [] };
    },
    feedbackOf: async (id: SubscriberId) =>
      (await feedbackOf(database, [id])).get(id) ?? { likes: [], dislikes: [], notNow: [] },

    /** Saves preferences; the first time this sends the first digest, "here is today's". */
    updatePreferences: async (who: ReaderKey, wanted: PreferencesChange, visit: Visit) => {
      let welcome: SubscriberId | null = null;
      const outcome = await change(who, visit, (context) => {
        if (context.subscriber.welcomeDue) welcome = context.subscriber.id;
        return updatePreferences(context, wanted, follows);
      });
      if (welcome !== null) await deps.planWelcome(welcome);
      return outcome;
    },
    pause: (who: ReaderKey, until: IsoDate | null, visit: Visit) =>
      change(who, visit, (context) => pause(context, until)),
    resume: (who: ReaderKey, visit: Visit) => change(who, visit, (context) => resume(context)),
    changeTopic: (who: ReaderKey, topic: TopicRef, action: 'mute' | 'unfollow', visit: Visit) =>
      change(who, visit, (context) => changeTopic(context, topic, action, follows)),
    follow: (who: ReaderKey, follow: Follow, visit: Visit) =>
      change(who, visit, async (context) => {
        await follows.setFollow(context.subscriber.id, follow, context.tx);
        return { type: 'done' as const };
      }),
    giveFeedback: (who: ReaderKey, paper: PaperId, verdict: Verdict, visit: Visit) =>
      change(who, visit, (context) => giveFeedback(context, paper, verdict)),
    forgetFeedback: (who: ReaderKey, paper: PaperId | undefined, visit: Visit) =>
      change(who, visit, (context) => forgetFeedback(context, paper)),
    unsubscribe: (who: ReaderKey, way: LeavingWay, visit: Visit) =>
      change(who, visit, (context) => unsubscribe(context, way)),
    undoUnsubscribe: (who: ReaderKey, visit: Visit) => change(who, visit, undoUnsubscribe),
    erase: (who: ReaderKey, visit: Visit) => change(who, visit, (context) => erase(context, deps)),
    revoke: (who: ReaderKey, what: 'links' | 'feeds', visit: Visit) =>
      change(who, visit, (context) => revoke(context, what)),
    /** Asks both addresses to agree; see `requestAddressChange`. */
    changeAddress: (who: ReaderKey, typed: string, visit: Visit) =>
      change(who, visit, ({ tx, subscriber, now, notices }) =>
        requestAddressChange(deps, tx, { subscriber, typed, visit, now, notices }),
      ),

    exportReader: (who: ReaderKey) => exportReader(database, follows, who),
    upkeep: () => upkeep(deps),
  };
}

/** `email_key` of an address that was accepted before. */
export function addressKey(email: string): string {
  const parsed = parseAddress(email);
  return parsed.type === 'ok' ? parsed.address.key : email.toLowerCase();
}

/** Everything stored of one reader, as the reader may take it along (GDPR, article 20). */
async function exportReader(database: Database, follows: FollowPort, who: ReaderKey) {
  const checked = checkReader(await findSubscriber(database, { publicId: who.publicId }), who.epoch);
  if (checked.type !== 'ok') return checked;
  const { id, linkEpoch: _link, feedEpoch: _feed, ...subscriber } = checked.subscriber;
  const ties = (await follows.followsOf([id])).get(id);
  return {
    type: 'ok' as const,
    data: {
      subscriber,
      follows: ties?.follows ?? [],
      mutes: ties?.mutes ?? [],
      feedback: await feedbackInFull(database, id),
      events: await eventsOf(database, id),
    },
  };
}

/** Ends pauses whose date has come and removes what expired; the `upkeep` job calls it. */
async function upkeep(
  deps: SubscriberDependencies,
): Promise<{ resumed: number; removedConfirmations: number }> {
  const now = deps.now();
  const resumed = await resumeEnded(deps, now);
  const { confirmations } = await removeExpired(deps.database, new Date(now.getTime() - DAY));
  await removeCounts(deps.database, new Date(now.getTime() - 2 * DAY));
  return { resumed, removedConfirmations: confirmations };
}

async function resumeEnded(deps: SubscriberDependencies, now: Date): Promise<number> {
  // Somewhere it is tomorrow already: look a day ahead, then ask each reader's own calendar.
  const candidates = await deps.database
    .transaction()
    .execute((tx) => claimEndedPauses(tx, addDays(utcDate(now), 1), 10_000));
  let resumed = 0;
  for (const one of candidates) {
    if (one.pausedUntil === null || one.pausedUntil > localDate(one.timezone, now)) continue;
    const who = { publicId: one.publicId, epoch: one.linkEpoch };
    const outcome = await changeReader(deps, who, { ip: null, userAgent: null }, (context) =>
      resume(context, true),
    );
    if (outcome.type === 'resumed') resumed++;
  }
  return resumed;
}
