import type { NoticeId } from '#src/database/ids.ts';
import { untilWritten } from '#src/database/until-written.ts';
import type { Halt } from './delivery-halt.ts';
import type { MailTransport, OutgoingMessage, SendOutcome } from './message.ts';
import { keepNoticeLease, type NoticeLease } from './notice-lease.ts';
import type { ClaimedNotice, NoticeClaim, NoticeJournal, NoticeStore } from './notice-store.ts';
import type { Throttle } from './throttle.ts';

/** What composing made of a notice: a message, or why there is none. */
export type ComposedNotice = OutgoingMessage | { readonly skip: string };

/** What {@link createDeliverNotices} needs. */
export type DeliverNoticesDependencies = {
  readonly store: Pick<NoticeStore, 'claim' | 'drop' | 'handOver' | 'renew' | 'record'>;
  /**
   * Starts the journal of a claim: narrows what a killed process leaves in doubt to what was on the wire. Where it can't
   * be written the notices go without: somebody waits for them, and what was handed over is in doubt after a kill.
   */
  readonly openJournal?: (claims: readonly NoticeClaim[]) => NoticeJournal;
  readonly compose: (notice: ClaimedNotice) => Promise<ComposedNotice>;
  readonly transport: Pick<MailTransport, 'send'>;
  /**
   * Those of these envelope addresses that bounced for good or complained. An address that merely unsubscribed gets
   * its goodbye, and the confirmation when its owner comes back.
   */
  readonly suppressedAmong: (addresses: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly suppress: (address: string, reply: string) => Promise<void>;
  /** Somebody waits for a notice: only a domain that asks for patience holds it up, no rate does (but it counts). */
  readonly throttle?: Pick<Throttle, 'pauseMs' | 'spend' | 'learn'>;
  /** Learns when the relay rejects us. Notices go on trying, each by its own backoff: they are few, and urgent. */
  readonly halt?: Pick<Halt, 'learn'>;
  /** Asks for a notice once more after so many milliseconds: it was put off. Without it: the sweep does, which comes every minute. */
  readonly again?: (id: NoticeId, afterMs: number) => Promise<void>;
  /** Told of a notice that can't be composed. */
  readonly onFault?: (error: unknown, id: NoticeId) => void;
  readonly now: () => Date;
  /** How long a claim is held without renewal, in milliseconds. */
  readonly leaseMs: number;
  /** After how many milliseconds others may go on beside a delivery (default 5 s). */
  readonly lateMs?: number;
};

/** Milliseconds until a notice that could not be composed is tried again. */
const RECOMPOSE_MS = 60_000;
/** First pause after a deferral, in milliseconds; doubles, at most an hour: somebody waits for this mail. */
const RETRY = { first: 15_000, last: 3_600_000 };
/** While no relay is reached, which says nothing of the message: half as long as that has lasted, between these. */
const UNREACHABLE = { least: 4_000, most: 60_000 };

/** Milliseconds after which a server that does not answer holds up the notices it has, and no others. */
const LATE_MS = 5_000;

/**
 * Delivers transactional mails by id: claim → compose → hand over → send → record, from the hand-over on each with its own
 * commit, since they are few and every one counts.
 * @returns how many were sent; `letGo` is called when others may go on beside it
 */
export function createDeliverNotices(dependencies: DeliverNoticesDependencies) {
  const deps = { ...dependencies, outage: watchOutage() };
  return async (ids: readonly NoticeId[], { letGo }: { letGo?(): void } = {}): Promise<number> => {
    const since = performance.now();
    const claimed = await deps.store.claim(ids, deps.leaseMs);
    const [first] = claimed;
    if (!first) return 0;
    const late = setTimeout(() => letGo?.(), deps.lateMs ?? LATE_MS);
    try {
      return await deliverClaim(deps, claimed, since);
    } finally {
      clearTimeout(late);
      deps.store.drop(first.leaseToken);
    }
  };
}

/** Tells for how long no relay has been reached, in milliseconds; null when the last outcome was a relay's. */
function watchOutage(): (outcome: SendOutcome) => number | null {
  let since: number | null = null;
  return (outcome) => {
    if (outcome.type !== 'deferred' || outcome.code !== undefined) return (since = null);
    since ??= performance.now();
    return performance.now() - since;
  };
}

/** What one process's deliveries share. */
type Delivering = DeliverNoticesDependencies & { readonly outage: ReturnType<typeof watchOutage> };

async function deliverClaim(
  deps: Delivering,
  claimed: readonly ClaimedNotice[],
  since: number,
): Promise<number> {
  const journal = openJournal(deps, claimed);
  // All of them, whatever befalls one: the journal is closed over nothing that is on the wire.
  const ends = await Promise.allSettled(
    claimed.map((notice) => deliverHeld({ ...deps, journal }, notice, since)),
  );
  const fault = ends.find((end) => end.status === 'rejected');
  if (fault) {
    journal?.abandon();
    throw fault.reason;
  }
  journal?.close();
  return ends.filter((end) => end.status === 'fulfilled' && end.value).length;
}

function openJournal(
  deps: DeliverNoticesDependencies,
  claimed: readonly ClaimedNotice[],
): NoticeJournal | undefined {
  try {
    return deps.openJournal?.(claimed.map(claimOf));
  } catch {
    return undefined;
  }
}

/** Of one claim. */
type ClaimRun = Delivering & { readonly journal: NoticeJournal | undefined };

async function deliverHeld(deps: ClaimRun, notice: ClaimedNotice, since: number): Promise<boolean> {
  const { store, leaseMs } = deps;
  const lease = keepNoticeLease({ store, claim: claimOf(notice), leaseMs, since });
  try {
    return await deliverOne(deps, notice, lease);
  } finally {
    lease.stop();
  }
}

const claimOf = ({ id, leaseToken }: ClaimedNotice): NoticeClaim => ({ id, leaseToken });

async function deliverOne(deps: ClaimRun, notice: ClaimedNotice, lease: NoticeLease): Promise<boolean> {
  const claim = claimOf(notice);
  const message = await composeOrPutOff(deps, notice);
  if (message === null) return false;
  if ('skip' in message) {
    await deps.store.record({ ...claim, state: 'skipped', reply: message.skip });
    return false;
  }
  const { to } = message.envelope;
  if ((await deps.suppressedAmong([to])).has(to)) {
    await deps.store.record({ ...claim, state: 'skipped', reply: 'address is suppressed' });
    return false;
  }
  const pauseMs = (await deps.throttle?.pauseMs(to)) ?? 0;
  if (pauseMs > 0) {
    const dueAt = new Date(deps.now().getTime() + pauseMs);
    await deps.store.record({ ...claim, state: 'deferred', reply: 'its domain asks for patience', dueAt });
    await askAgain(deps, notice.id, dueAt);
    return false;
  }
  deps.throttle?.spend(to);
  let handedOver = false;
  const handOver = async () => {
    handedOver = await deps.store.handOver(notice, deps.leaseMs);
    return handedOver;
  };
  let begun = false;
  const outcome = await deps.transport.send(message, handOver, {
    urgent: true,
    onContent: () => (begun = lease.holds() && begin(deps.journal, notice.id)),
    onRefusal: () => {
      begun = false;
      deps.journal?.end({ ...claim, state: 'deferred', reply: 'refused by one relay', dueAt: deps.now() });
    },
    onOutcome: (known) => {
      if (begun) deps.journal?.end({ ...claim, ...resultOf(notice, known, deps.now(), null) });
    },
  });
  // Somebody else has it, or nothing was begun and the claim simply lapses.
  if (outcome.type === 'deferred' && !handedOver && outcome.reply === 'not handed over') return false;
  deps.throttle?.learn(to, outcome);
  await deps.halt?.learn(outcome);
  if (outcome.type === 'rejected' && outcome.scope === 'address')
    await deps.suppress(to, outcome.reply).catch(() => undefined);
  const result = { ...claim, ...resultOf(notice, outcome, deps.now(), deps.outage(outcome)) };
  await untilWritten(() => deps.store.record(result));
  if (result.state === 'deferred') await askAgain(deps, notice.id, result.dueAt);
  return outcome.type === 'accepted';
}

/** A queue that is away: the sweep finds it. */
const askAgain = async (deps: ClaimRun, id: NoticeId, dueAt: Date): Promise<void> =>
  deps.again?.(id, Math.max(dueAt.getTime() - deps.now().getTime(), 0) + 100).catch(() => undefined);

/** Null when it can't be composed: it is tried again later, and holds up none of those it was claimed with. */
async function composeOrPutOff(
  deps: DeliverNoticesDependencies,
  notice: ClaimedNotice,
): Promise<ComposedNotice | null> {
  try {
    return await deps.compose(notice);
  } catch (fault) {
    deps.onFault?.(fault, notice.id);
    const dueAt = new Date(deps.now().getTime() + RECOMPOSE_MS);
    const reply = `could not be composed: ${String(fault)}`;
    await deps.store.record({ ...claimOf(notice), state: 'deferred', reply, dueAt });
    return null;
  }
}

/** False where the journal can't be written: what it doesn't know must not be on the wire. */
function begin(journal: NoticeJournal | undefined, id: NoticeId): boolean {
  try {
    journal?.begin(id);
    return true;
  } catch {
    return false;
  }
}

type Ending =
  | { readonly state: 'sent' | 'failed' | 'unknown'; readonly reply: string }
  | { readonly state: 'deferred'; readonly reply: string; readonly dueAt: Date };

const clamp = (ms: number, { least, most }: typeof UNREACHABLE) => Math.min(Math.max(ms, least), most);

/** @param outageMs how long no relay has been reached; null when one was */
function resultOf(notice: ClaimedNotice, outcome: SendOutcome, now: Date, outageMs: number | null): Ending {
  switch (outcome.type) {
    case 'accepted':
      return { state: 'sent', reply: outcome.reply };
    case 'unknown':
      return { state: 'unknown', reply: outcome.reply };
    case 'rejected':
      return { state: 'failed', reply: outcome.reply };
    case 'sender-rejected':
    case 'deferred': {
      const backoff = Math.min(RETRY.first * 2 ** Math.min(notice.attempts, 20), RETRY.last);
      const pause = outageMs === null ? backoff : clamp(outageMs / 2, UNREACHABLE);
      return { state: 'deferred', reply: outcome.reply, dueAt: new Date(now.getTime() + pause) };
    }
  }
}
