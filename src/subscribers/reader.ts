import type { Database, Queryable } from '#src/database/database.ts';
import type { NoticeId } from '#src/database/ids.ts';
import type { Notice } from '#src/mail/notice.ts';
import type { PlanNotices, Visit } from './ports.ts';
import { findSubscriber, type StoredSubscriber } from './subscriber-store.ts';

/** Whom a change is for: the subject of a link, or without an epoch somebody the caller vouches for (API, command line). */
export type ReaderKey = { readonly publicId: string; readonly epoch?: number };

/**
 * A link whose signature is good but whose reader is not: `unknown` (erased, or made up with a stolen secret) or
 * `revoked` (the epoch was raised since). Told apart in the log only.
 */
export type NoReader = { readonly type: 'unknown' | 'revoked' };

/** What a use case of one reader works with: the locked row, inside the transaction. */
export type ReaderContext = {
  readonly tx: Queryable;
  readonly subscriber: StoredSubscriber & { readonly email: string };
  readonly now: Date;
  readonly visit: Visit;
  /** Plans a mail in this transaction; it is enqueued after commit. `to`: another address than the reader's. */
  notify(notice: Notice): Promise<void>;
  readonly notices: NoticeId[];
};

/** What every change of a reader needs. */
export type ReaderDependencies = {
  readonly database: Database;
  readonly planNotices: PlanNotices;
  readonly enqueueNotices: (ids: readonly NoticeId[]) => Promise<void>;
  readonly now: () => Date;
};

/** Whether the reader of a link exists and has not revoked it. `undefined` epoch: the caller vouches (API, CLI). */
export function checkReader(
  subscriber: StoredSubscriber | undefined,
  epoch: number | undefined,
): NoReader | { readonly type: 'ok'; readonly subscriber: StoredSubscriber & { readonly email: string } } {
  if (!subscriber || subscriber.email === null) return { type: 'unknown' };
  if (epoch !== undefined && subscriber.linkEpoch !== epoch) return { type: 'revoked' };
  return { type: 'ok', subscriber: { ...subscriber, email: subscriber.email } };
}

/**
 * Runs the change of one reader in one transaction with the row locked, then enqueues the mails it planned.
 * @throws the database's error when it can't be reached; nothing was changed then
 */
export async function changeReader<Outcome>(
  deps: ReaderDependencies,
  subject: ReaderKey,
  visit: Visit,
  work: (context: ReaderContext) => Promise<Outcome>,
): Promise<Outcome | NoReader> {
  const notices: NoticeId[] = [];
  const outcome = await deps.database.transaction().execute(async (tx) => {
    const row = await findSubscriber(tx, { publicId: subject.publicId }, { lock: true });
    const checked = checkReader(row, subject.epoch);
    if (checked.type !== 'ok') return checked;
    const { subscriber } = checked;
    const now = deps.now();
    const { id: subscriberId, email, language } = subscriber;
    const notify = async (notice: Notice) => {
      notices.push(...(await deps.planNotices(tx, [{ subscriberId, email, language, notice }], now)));
    };
    return work({ tx, subscriber, now, visit, notify, notices });
  });
  // The sweep delivers them anyway: a queue out of reach must not undo what was committed.
  if (notices.length > 0) await deps.enqueueNotices(notices).catch(() => undefined);
  return outcome;
}
