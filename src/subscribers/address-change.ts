import { randomUUID } from 'node:crypto';
import type { Queryable } from '#src/database/database.ts';
import type { NoticeId } from '#src/database/ids.ts';
import { type Address, type AddressPolicy, parseAddress } from './address.ts';
import type { ConfirmDependencies, ConfirmOutcome } from './confirm.ts';
import {
  type Confirmation,
  countAgreed,
  insertConfirmations,
  type NewConfirmation,
  takeConfirmationIds,
} from './confirmation-store.ts';
import { insertEvents } from './event-store.ts';
import type { PlanNotices, SuppressionPort, Visit } from './ports.ts';
import type { RequestOutcome } from './request.ts';
import { addCounts, windowStart } from './request-count-store.ts';
import { changeSubscriber, retireSubscriber } from './subscriber-change-store.ts';
import { findSubscriber, reread, type StoredSubscriber } from './subscriber-store.ts';
import { hashToken, type Tokens } from './tokens.ts';

/** What a change of address needs. */
export type AddressChangeDependencies = {
  readonly tokens: Tokens;
  readonly planNotices: PlanNotices;
  readonly suppressions: SuppressionPort;
  readonly policy: AddressPolicy;
  readonly confirmationHours: number;
  /** Changes of address a reader may ask for a day: each causes two mails. */
  readonly addressChangesPerDay: number;
};

/**
 * Asks both addresses to agree. The answer is the same whether the new one is subscribed, suppressed or new.
 * @param notices receives the ids to enqueue after commit
 */
export async function requestAddressChange(
  deps: AddressChangeDependencies,
  tx: Queryable,
  request: { subscriber: StoredSubscriber; typed: string; visit: Visit; now: Date; notices: NoticeId[] },
): Promise<RequestOutcome> {
  const parsed = parseAddress(request.typed, deps.policy);
  if (parsed.type !== 'ok') return { type: 'refused', fault: parsed };
  const { subscriber, now } = request;
  const day = windowStart(now, 86_400);
  const key = `change-address:${subscriber.id}`;
  const before = (await addCounts(tx, [{ key, windowStart: day, add: 1 }])).get(key) ?? 0;
  const suppressed = await deps.suppressions.among(tx, [parsed.address.key]);
  const reason = suppressed.get(parsed.address.key);
  if (before < deps.addressChangesPerDay && (!reason || reason === 'unsubscribed'))
    request.notices.push(...(await planPair(deps, tx, subscriber, parsed.address, now)));
  await insertEvents(
    tx,
    [{ subscriberId: subscriber.id, kind: 'address-requested', visit: request.visit }],
    now,
  );
  return { type: 'accepted' };
}

async function planPair(
  deps: AddressChangeDependencies,
  tx: Queryable,
  subscriber: StoredSubscriber,
  address: Address,
  now: Date,
): Promise<NoticeId[]> {
  const [forNew, forOld] = (await takeConfirmationIds(tx, 2)) as [number, number];
  const pair = randomUUID();
  const row = (id: number): NewConfirmation => ({
    id,
    subscriberId: subscriber.id,
    purpose: 'change-address',
    tokenHash: hashToken(deps.tokens.confirmation('change-address', id)),
    newEmail: address.email,
    consentText: 'Move my subscription to the new address.',
    request: { pair },
    expiresAt: new Date(now.getTime() + deps.confirmationHours * 3_600_000),
  });
  await insertConfirmations(tx, [row(forNew), row(forOld)], now);
  const common = { subscriberId: subscriber.id, language: subscriber.language };
  return deps.planNotices(
    tx,
    [
      { ...common, email: address.email, notice: { kind: 'confirm-address', confirmationId: forNew } },
      {
        ...common,
        email: subscriber.email as string,
        notice: { kind: 'address-changed', done: false, confirmationId: forOld },
      },
    ],
    now,
  );
}

/** One of the two addresses agreed. With the second the subscription moves and every old link dies. */
export async function applyAddressChange(
  deps: ConfirmDependencies,
  tx: Queryable,
  context: {
    found: Confirmation;
    subscriber: StoredSubscriber;
    visit: Visit;
    now: Date;
    notices: NoticeId[];
  },
): Promise<ConfirmOutcome> {
  const { found, subscriber, visit, now } = context;
  const { pair } = found.request as { pair: string };
  if ((await countAgreed(tx, pair)) < 2) {
    await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'address-agreed', visit }], now);
    return { type: 'address-agreed', subscriber };
  }
  const email = found.newEmail as string;
  const emailKey = deps.addressKey(email);
  await retireOther(tx, emailKey, subscriber, now);
  const linkEpoch = subscriber.linkEpoch + 1;
  await changeSubscriber(tx, subscriber.id, { email, emailKey, linkEpoch }, now);
  await deps.suppressions.forgive(tx, emailKey);
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'address-changed', visit }], now);
  const notice = { kind: 'address-changed', done: true } as const;
  const { id: subscriberId, email: old, language } = subscriber;
  context.notices.push(
    ...(await deps.planNotices(tx, [{ subscriberId, email: old as string, language, notice }], now)),
  );
  return { type: 'address-changed', subscriber: await reread(tx, subscriber.id) };
}

/** Whoever owns the new address agreed: an older subscription of it gives way, so that nobody is mailed twice. */
async function retireOther(tx: Queryable, emailKey: string, subscriber: StoredSubscriber, now: Date) {
  const other = await findSubscriber(tx, { emailKey }, { lock: true });
  if (other && other.id !== subscriber.id) await retireSubscriber(tx, other, now);
}
