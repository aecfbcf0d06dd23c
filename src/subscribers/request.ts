import { createHmac, type KeyObject } from 'node:crypto';
import type { Database } from '#src/database/database.ts';
import type { NoticeId } from '#src/database/ids.ts';
import type { Follow } from '#src/topics/topic.ts';
import { type Address, type AddressFault, type AddressPolicy, parseAddress } from './address.ts';
import { takeConfirmationIds } from './confirmation-store.ts';
import type { TakesMail } from './mail-domain.ts';
import type { SuppressionPort, Visit } from './ports.ts';
import { addCounts, windowStart } from './request-count-store.ts';
import { insertRequests, type NewRequest } from './request-store.ts';
import { hashToken, type Tokens } from './tokens.ts';

/** What a visitor asks for with the address; applied when it is confirmed. */
export type RequestedChoices = { readonly timezone?: string; readonly follows?: readonly Follow[] };

/** A request for a subscription, as it came in. */
export type SubscriptionRequest = {
  /** As typed. */
  readonly email: string;
  readonly choices: RequestedChoices;
  readonly visit: Visit;
};

/** How many confirmation mails may be caused: against subscribe bombing. */
export type RequestCaps = {
  readonly perAddressAndDay: number;
  readonly perIpAndHour: number;
  readonly overallPerHour: number;
};

/** Enough for people, too little for a bomb. */
export const DEFAULT_CAPS: RequestCaps = { perAddressAndDay: 3, perIpAndHour: 20, overallPerHour: 5000 };

/** `accepted` says nothing about the address: known, new, suppressed and capped ones all end so. */
export type RequestOutcome =
  | { readonly type: 'accepted' }
  | { readonly type: 'refused'; readonly fault: AddressFault };

/** What taking requests needs, and the installation's rules for them. */
export type RequestDependencies = {
  readonly database: Database;
  readonly tokens: Tokens;
  readonly enqueueNotices: (ids: readonly NoticeId[]) => Promise<void>;
  readonly suppressions: SuppressionPort;
  readonly now: () => Date;
  /** Keys the counters, so that no address stands in them. */
  readonly countKey: KeyObject;
  readonly caps: RequestCaps;
  readonly policy: AddressPolicy;
  /** Asked for the domain of an address, where the operator wants that. */
  readonly takesMail?: TakesMail;
  /** The sentence the visitor agrees to, kept with the confirmation. */
  readonly consentText: string;
  readonly confirmationHours: number;
};

/** A request whose address was understood. */
type Wanted = Omit<SubscriptionRequest, 'email'> & { readonly address: Address };

/** Requests written together at most: few enough that Node takes the next ones while the database writes these. */
const BATCH = 32;
/** Batches being written at a time. */
const AT_ONCE = 2;

/**
 * Takes requests for subscriptions. Concurrent ones share a statement (whatever waits while others are at work forms
 * the next batch): cheaper by far, and since an address takes the same statements whether it is known, new, suppressed
 * or capped, neither the answer nor its time tells which it was.
 */
export function createRequestSubscription(deps: RequestDependencies) {
  const waiting: { wanted: Wanted; resolve: () => void; reject: (error: unknown) => void }[] = [];
  const takeIds = reserveIds(deps.database);
  let working = 0;

  async function work() {
    if (working >= AT_ONCE) return;
    working++;
    // Let every request of this turn of the event loop join.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        const wanted = batch.map((entry) => entry.wanted);
        await acceptBatch({ ...deps, takeIds }, wanted);
        for (const entry of batch) entry.resolve();
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    working--;
  }

  /** @throws the database's error when it can't be reached; nothing was stored then */
  return async function requestSubscription(request: SubscriptionRequest): Promise<RequestOutcome> {
    const parsed = parseAddress(request.email, deps.policy);
    if (parsed.type !== 'ok') return { type: 'refused', fault: parsed };
    const { email } = parsed.address;
    if (deps.takesMail && !(await deps.takesMail(email.slice(email.lastIndexOf('@') + 1))))
      return { type: 'refused', fault: { type: 'no-mail' } };
    const wanted = { address: parsed.address, choices: request.choices, visit: request.visit };
    await new Promise<void>((resolve, reject) => {
      waiting.push({ wanted, resolve, reject });
      void work();
    });
    return { type: 'accepted' };
  };
}

type Batching = RequestDependencies & { readonly takeIds: (count: number) => Promise<number[]> };

/** Takes ids of confirmations from the sequence a thousand at a time; those left over at the end are never used. */
function reserveIds(database: Database): Batching['takeIds'] {
  const reserved: number[] = [];
  return async (count) => {
    if (reserved.length < count)
      reserved.push(...(await takeConfirmationIds(database, Math.max(count, 1000))));
    return reserved.splice(0, count);
  };
}

async function acceptBatch(deps: Batching, batch: readonly Wanted[]): Promise<void> {
  const now = deps.now();
  const keys = batch.map((wanted) => wanted.address.key);
  const [allowed, suppressed, ids] = await Promise.all([
    withinCaps(deps, batch, now),
    deps.suppressions.among(deps.database, keys),
    deps.takeIds(batch.length),
  ]);
  const requests = batch.map((wanted, i): NewRequest => {
    const { key } = wanted.address;
    const reason = suppressed.get(key);
    return {
      ...wanted,
      allowed: allowed[i] === true,
      // One who has unsubscribed may come back.
      mailed: allowed[i] === true && (!reason || reason === 'unsubscribed'),
      confirmationId: ids[i] as number,
      tokenHash: hashToken(deps.tokens.confirmation('subscribe', ids[i] as number)),
    };
  });
  const expiresAt = new Date(now.getTime() + deps.confirmationHours * 3_600_000);
  const { consentText } = deps;
  const notices = await insertRequests(deps.database, requests, { now, expiresAt, consentText });
  // The sweep delivers them anyway: a queue out of reach must not turn an accepted request into an error.
  if (notices.length > 0) await deps.enqueueNotices(notices).catch(() => undefined);
}

/** A person with IPv6 has a whole /64: cap that. */
const networkOf = (ip: string | null): string =>
  ip?.includes(':') ? ip.split(':').slice(0, 4).join(':') : (ip ?? 'unknown');

/** Which requests of a batch stay below every cap. All of them are counted. */
async function withinCaps(deps: RequestDependencies, batch: readonly Wanted[], now: Date) {
  const hour = windowStart(now, 3600);
  const day = windowStart(now, 86_400);
  const { caps } = deps;
  const limits = batch.map((wanted) => [
    { key: 'request', windowStart: hour, cap: caps.overallPerHour },
    { key: `request-ip:${networkOf(wanted.visit.ip)}`, windowStart: hour, cap: caps.perIpAndHour },
    { key: `request-address:${hashAddress(deps, wanted)}`, windowStart: day, cap: caps.perAddressAndDay },
  ]);
  const adds = new Map<string, { key: string; windowStart: Date; add: number }>();
  for (const limit of limits.flat()) {
    const add = (adds.get(limit.key)?.add ?? 0) + 1;
    adds.set(limit.key, { key: limit.key, windowStart: limit.windowStart, add });
  }
  const counts = await addCounts(deps.database, [...adds.values()]);
  return limits.map((mine) => {
    const allowed = mine.every((limit) => (counts.get(limit.key) ?? 0) < limit.cap);
    for (const { key } of mine) counts.set(key, (counts.get(key) ?? 0) + 1);
    return allowed;
  });
}

const hashAddress = (deps: RequestDependencies, wanted: Wanted): string =>
  createHmac('sha256', deps.countKey).update(wanted.address.key).digest('base64url');
