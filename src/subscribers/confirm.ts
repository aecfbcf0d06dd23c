import type { Database, Queryable } from '#src/database/database.ts';
import type { NoticeId, SubscriberId } from '#src/database/ids.ts';
import { applyAddressChange } from './address-change.ts';
import { type Confirmation, findConfirmation, useConfirmation } from './confirmation-store.ts';
import { insertEvents } from './event-store.ts';
import type { FollowPort, PlanNotices, SuppressionPort, Visit } from './ports.ts';
import type { RequestedChoices } from './request.ts';
import { changeSubscriber } from './subscriber-change-store.ts';
import { findSubscriber, reread, type StoredSubscriber } from './subscriber-store.ts';
import { type ConfirmationPurpose, hashToken } from './tokens.ts';
import { parseZone } from './zones.ts';

/** What a confirmation link turned out to be, for the page with the button. */
export type ConfirmationView =
  | { readonly type: 'open'; readonly purpose: ConfirmationPurpose; readonly newEmail: string | null }
  | { readonly type: 'unknown' | 'used' | 'expired' };

/**
 * What pressing the button did. `first`: the subscription starts (or starts again) now; `choseAlready`: it came with
 * something to follow, so that the first digest need not wait for a choice.
 */
export type ConfirmOutcome =
  | {
      readonly type: 'confirmed';
      readonly subscriber: StoredSubscriber;
      readonly first: boolean;
      readonly choseAlready: boolean;
    }
  | { readonly type: 'address-changed' | 'address-agreed'; readonly subscriber: StoredSubscriber }
  | { readonly type: 'unknown' | 'used' | 'expired' };

/** What confirming needs. */
export type ConfirmDependencies = {
  readonly database: Database;
  readonly follows: FollowPort;
  readonly suppressions: SuppressionPort;
  readonly planNotices: PlanNotices;
  readonly enqueueNotices: (ids: readonly NoticeId[]) => Promise<void>;
  /** Plans the first digest at once; called after commit. */
  readonly planWelcome: (id: SubscriberId) => Promise<void>;
  readonly addressKey: (email: string) => string;
  readonly now: () => Date;
};

/** How long the first digest waits for its reader to choose topics, in milliseconds. */
const CHOOSING_MS = 15 * 60_000;

/** The token is 256 bits of HMAC: looking its hash up is as good as comparing in constant time. */
const isToken = (token: string): boolean => /^[\w-]{43}$/.test(token);

function stateOf(confirmation: Confirmation | undefined, now: Date): 'open' | 'unknown' | 'used' | 'expired' {
  if (!confirmation) return 'unknown';
  if (confirmation.usedAt) return 'used';
  return confirmation.expiresAt <= now ? 'expired' : 'open';
}

/** Looks at a confirmation link without changing anything. */
export function createViewConfirmation({ database, now }: Pick<ConfirmDependencies, 'database' | 'now'>) {
  return async (token: string): Promise<ConfirmationView> => {
    const found = isToken(token) ? await findConfirmation(database, hashToken(token)) : undefined;
    const type = stateOf(found, now());
    if (type !== 'open' || !found) return { type: type === 'open' ? 'unknown' : type };
    return { type, purpose: found.purpose, newEmail: found.newEmail };
  };
}

/** Confirms: starts the subscription, or agrees to a change of address. Each token works once. */
export function createConfirm(deps: ConfirmDependencies) {
  return async (token: string, visit: Visit, timezone?: string): Promise<ConfirmOutcome> => {
    const notices: NoticeId[] = [];
    const outcome = await deps.database.transaction().execute(async (tx): Promise<ConfirmOutcome> => {
      const now = deps.now();
      const found = isToken(token) ? await findConfirmation(tx, hashToken(token), { lock: true }) : undefined;
      const type = stateOf(found, now);
      if (type !== 'open' || !found) return { type: type === 'open' ? 'unknown' : type };
      await useConfirmation(tx, found.id, now);
      const subscriber = await findSubscriber(tx, { id: found.subscriberId }, { lock: true });
      if (!subscriber?.email) return { type: 'unknown' };
      if (found.purpose === 'change-address')
        return applyAddressChange(deps, tx, { found, subscriber, visit, now, notices });
      return startSubscription(deps, tx, { found, subscriber, visit, now, timezone });
    });
    if (notices.length > 0) await deps.enqueueNotices(notices).catch(() => undefined);
    if (outcome.type === 'confirmed' && outcome.choseAlready) await deps.planWelcome(outcome.subscriber.id);
    return outcome;
  };
}

async function startSubscription(
  deps: ConfirmDependencies,
  tx: Queryable,
  context: {
    found: Confirmation;
    subscriber: StoredSubscriber;
    visit: Visit;
    now: Date;
    timezone: string | undefined;
  },
): Promise<ConfirmOutcome> {
  const { found, subscriber, visit, now } = context;
  const first = subscriber.state === 'pending' || subscriber.state === 'unsubscribed';
  const choices = found.request as RequestedChoices;
  if (first) {
    // A zone guessed by the browser counts for newcomers only: who comes back keeps what they had chosen.
    const guessed = parseZone(context.timezone ?? choices.timezone ?? '');
    const timezone = subscriber.state === 'pending' && guessed ? guessed : subscriber.timezone;
    await changeSubscriber(
      tx,
      subscriber.id,
      {
        state: 'active',
        timezone,
        confirmedAt: now,
        nextDigestAt: new Date(now.getTime() + CHOOSING_MS),
        welcomeDue: true,
        pausedUntil: null,
      },
      now,
    );
    await deps.suppressions.forgive(tx, deps.addressKey(subscriber.email as string));
  }
  // Also for who is subscribed already: "follow this by mail" asked for it, and the mail's owner agreed.
  for (const follow of choices.follows ?? []) await deps.follows.setFollow(subscriber.id, follow, tx);
  const detail = { agreedTo: found.consentText, requestedAgain: !first };
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'confirmed', visit, detail }], now);
  const choseAlready = first && (choices.follows ?? []).length > 0;
  return { type: 'confirmed', subscriber: await reread(tx, subscriber.id), first, choseAlready };
}
