import type { Database } from '#src/database/database.ts';
import type { Follow } from '#src/topics/topic.ts';
import { type AddressFault, type AddressPolicy, parseAddress } from './address.ts';
import type { TakesMail } from './mail-domain.ts';
import type { Visit } from './ports.ts';
import { addRequests, type WaitingRequest } from './request-inbox-store.ts';

/** What a visitor asks for with the address; applied when it is confirmed. */
export type RequestedChoices = { readonly timezone?: string; readonly follows?: readonly Follow[] };

/** A request for a subscription, as it came in. */
export type SubscriptionRequest = {
  /** As typed. */
  readonly email: string;
  readonly choices: RequestedChoices;
  readonly visit: Visit;
};

/** `accepted` says nothing about the address: known, new, suppressed and capped ones all end so. */
export type RequestOutcome =
  | { readonly type: 'accepted' }
  | { readonly type: 'refused'; readonly fault: AddressFault };

/** What accepting requests needs, and the installation's rules for addresses. */
export type RequestDependencies = {
  readonly database: Database;
  readonly now: () => Date;
  readonly policy: AddressPolicy;
  /** Asked for the domain of an address, where the operator wants that. */
  readonly takesMail?: TakesMail;
  /** Told that requests wait in the inbox. */
  readonly workOff: () => void;
};

/** Requests written together at most: few enough that Node takes the next ones while the database writes these. */
const BATCH = 32;
/** Batches being written at a time. */
const AT_ONCE = 2;

/**
 * Accepts requests for subscriptions: once a request is in the inbox it is not lost any more, and the visitor is answered.
 * Everything that depends on the address comes later (`createWorkOffRequests`), so neither the answer nor its time tells
 * whether it is known. Concurrent requests share a statement: whatever waits while others are written forms the next batch.
 */
export function createRequestSubscription(deps: RequestDependencies) {
  const waiting: { request: WaitingRequest; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let writing = 0;

  async function write() {
    if (writing >= AT_ONCE) return;
    writing++;
    // Let every request of this turn of the event loop join.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await addRequests(
          deps.database,
          batch.map((entry) => entry.request),
        );
        for (const entry of batch) entry.resolve();
        deps.workOff();
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    writing--;
  }

  /** @throws the database's error when it can't be reached; nothing was stored then */
  return async function requestSubscription(request: SubscriptionRequest): Promise<RequestOutcome> {
    const parsed = parseAddress(request.email, deps.policy);
    if (parsed.type !== 'ok') return { type: 'refused', fault: parsed };
    const { address } = parsed;
    if (deps.takesMail && !(await deps.takesMail(address.email.slice(address.email.lastIndexOf('@') + 1))))
      return { type: 'refused', fault: { type: 'no-mail' } };
    const { choices, visit } = request;
    await new Promise<void>((resolve, reject) => {
      waiting.push({ request: { address, choices, visit, requestedAt: deps.now() }, resolve, reject });
      void write();
    });
    return { type: 'accepted' };
  };
}
