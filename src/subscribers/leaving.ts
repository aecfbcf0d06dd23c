import { insertEvents } from './event-store.ts';
import type { SuppressionPort } from './ports.ts';
import type { ReaderContext } from './reader.ts';
import { nextDigestAt } from './schedule.ts';
import { changeSubscriber, retireSubscriber } from './subscriber-change-store.ts';

/** How somebody left: with the page's button, the mail client's own (RFC 8058; by mail RFC 2369), or by calling a mail spam. */
export type LeavingWay = 'page' | 'one-click' | 'mail' | 'complaint' | 'operator';

/** Ends the subscription. Doing it again changes nothing and mails nothing. */
export async function unsubscribe(context: ReaderContext, way: LeavingWay): Promise<{ type: 'done' }> {
  const { tx, subscriber, now, visit } = context;
  if (subscriber.state === 'unsubscribed') return { type: 'done' };
  await changeSubscriber(
    tx,
    subscriber.id,
    { state: 'unsubscribed', nextDigestAt: null, pausedUntil: null },
    now,
  );
  await insertEvents(
    tx,
    [{ subscriberId: subscriber.id, kind: 'unsubscribed', visit, detail: { way } }],
    now,
  );
  // Who never confirmed was never welcomed: nothing to say goodbye to. Who complained wants no mail more.
  if (subscriber.state !== 'pending' && way !== 'complaint') await context.notify({ kind: 'goodbye' });
  return { type: 'done' };
}

/** Takes an unsubscription back. Only for readers who had confirmed once; for active ones it changes nothing. */
export async function undoUnsubscribe(context: ReaderContext): Promise<{ type: 'done' | 'never-confirmed' }> {
  const { tx, subscriber, now, visit } = context;
  if (subscriber.state !== 'unsubscribed') return { type: 'done' };
  if (!subscriber.confirmedAt) return { type: 'never-confirmed' };
  const change = { state: 'active', nextDigestAt: nextDigestAt(subscriber, now) } as const;
  await changeSubscriber(tx, subscriber.id, change, now);
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'undone', visit }], now);
  return { type: 'done' };
}

/**
 * Erases everything that names the reader. What remains is a row without address, which the ledger speaks of, and
 * the keyed hash of the address among the suppressions, so that no import brings it back.
 */
export async function erase(
  context: ReaderContext,
  deps: { readonly suppressions: SuppressionPort; readonly addressKey: (email: string) => string },
): Promise<{ type: 'done' }> {
  const { tx, subscriber, now } = context;
  await deps.suppressions.add(tx, deps.addressKey(subscriber.email), 'unsubscribed', now);
  await retireSubscriber(tx, subscriber, now);
  await insertEvents(tx, [{ subscriberId: subscriber.id, kind: 'erased', visit: null }], now);
  return { type: 'done' };
}
