import type { Database } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import { insertEvents } from './event-store.ts';
import type { NewSubscriber } from './lines.ts';
import { insertActive } from './new-subscriber-store.ts';
import type { FollowPort, SuppressionPort, Visit } from './ports.ts';
import { nextDigestAt } from './schedule.ts';
import { subscribersByKeys } from './subscriber-store.ts';

/** What adding did, by address: `exists` and `suppressed` ones were left as they are. */
export type AddReport = {
  readonly added: { readonly email: string; readonly id: SubscriberId }[];
  readonly exists: string[];
  readonly suppressed: string[];
};

/** What adding subscribers needs. */
export type AddDependencies = {
  readonly database: Database;
  readonly follows: FollowPort;
  readonly suppressions: SuppressionPort;
  readonly now: () => Date;
};

/** Subscribers of one transaction. */
const BATCH = 500;

/**
 * Adds subscribers the operator vouches for (command line, import, API): active at once, without a confirmation.
 * Addresses that are suppressed, the ones that once unsubscribed included, and those known already are left alone.
 * @param consent where the operator has their consent from; kept with the event
 */
export function createAddSubscribers(deps: AddDependencies) {
  return async (
    subscribers: readonly NewSubscriber[],
    consent: string,
    options: { visit?: Visit; onProgress?: (done: number) => void } = {},
  ): Promise<AddReport> => {
    const report: AddReport = { added: [], exists: [], suppressed: [] };
    for (let i = 0; i < subscribers.length; i += BATCH) {
      await addBatch(
        deps,
        subscribers.slice(i, i + BATCH),
        { consent, visit: options.visit ?? null },
        report,
      );
      options.onProgress?.(Math.min(i + BATCH, subscribers.length));
    }
    return report;
  };
}

async function addBatch(
  deps: AddDependencies,
  batch: readonly NewSubscriber[],
  source: { consent: string; visit: Visit | null },
  report: AddReport,
): Promise<void> {
  await deps.database.transaction().execute(async (tx) => {
    const now = deps.now();
    const keys = batch.map((one) => one.address.key);
    const [known, suppressed] = [await subscribersByKeys(tx, keys), await deps.suppressions.among(tx, keys)];
    const fresh = new Map<string, NewSubscriber>();
    for (const one of batch) {
      const { key, email } = one.address;
      if (known.has(key) || fresh.has(key)) report.exists.push(email);
      else if (suppressed.has(key)) report.suppressed.push(email);
      else fresh.set(key, one);
    }
    const rows = [...fresh.values()].map((one) => ({
      ...one,
      nextDigestAt: nextDigestAt({ ...one, weekdays: 127 }, now),
    }));
    const ids = await insertActive(tx, rows, now);
    for (const one of rows) {
      const id = ids.get(one.address.key);
      // Somebody else added the address since: theirs stands.
      if (id === undefined) report.exists.push(one.address.email);
      else {
        report.added.push({ email: one.address.email, id });
        if (one.follows.length > 0) await deps.follows.replaceFollows(id, one.follows, tx);
      }
    }
    const detail = { consent: source.consent };
    const events = [...ids.values()].map((subscriberId) => ({
      subscriberId,
      kind: 'imported' as const,
      visit: source.visit,
      detail,
    }));
    await insertEvents(tx, events, now);
  });
}
