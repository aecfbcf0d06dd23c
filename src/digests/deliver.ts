import type { DigestId } from '#src/database/ids.ts';
import type { Halt } from '#src/mail/delivery-halt.ts';
import type { Mail, MailTransport } from '#src/mail/message.ts';
import type { Throttle } from '#src/mail/throttle.ts';
import {
  admit,
  bar,
  claimOf,
  type DeliveryRun,
  handOver,
  type PreparedWindow,
  prepare,
} from './deliver-window.ts';
import type { ClaimedDigest, SkipReason } from './digest.ts';
import type { ClaimJournal, Journals } from './journal.ts';
import { keepLeases } from './lease-keeper.ts';
import type { Claim, DigestResult, Ledger } from './ledger.ts';
import { blockOf, type DigestRange } from './ranges.ts';
import { record, recordWindow, untilFewer } from './record-window.ts';
import { sendWindow } from './send-window.ts';

/** What composing made of a row: a message, or one that is put together when its turn comes, or why there is none. */
export type Composed = Mail | { readonly skip: SkipReason };

/** Composes claimed rows; a row it leaves out has no content any more and is skipped as `address-gone`. */
export type ComposeDigests = (rows: readonly ClaimedDigest[]) => Promise<ReadonlyMap<DigestId, Composed>>;

/** What {@link createDeliverDigests} needs. */
export type DeliverDependencies = {
  readonly ledger: Pick<Ledger, 'claim' | 'release' | 'drop' | 'handOver' | 'renew' | 'record' | 'nextDue'>;
  readonly compose: ComposeDigests;
  readonly transport: Pick<MailTransport, 'send'>;
  /** Those of these envelope addresses that must not be mailed. Asked right before they are handed over. */
  readonly suppressedAmong: (addresses: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Called for an address that a server says can't be mailed (5.1.1 and the like). */
  readonly suppress: (address: string, reply: string) => Promise<void>;
  /** Stops all workers when a relay rejects us. */
  readonly halt: Halt;
  /** Narrows what a killed process leaves in doubt to what was on the wire. Without it: a window of rows. */
  readonly journals?: Pick<Journals, 'open'>;
  /** Limits of sending; without it: as fast as the relays take. */
  readonly throttle?: Throttle;
  readonly now: () => Date;
  /** Uniform in [0, 1); default Math.random. */
  readonly random?: () => number;
  /** How long a claim is held without renewal, in milliseconds. */
  readonly leaseMs: number;
  /** How long the second half of a window may take after the first, in milliseconds, before it is waited for by itself (default 10 s). */
  readonly lateMs?: number;
  /** Rows claimed at once (default 500), and rows handed over and recorded at once (default 100). */
  readonly claimSize?: number;
  readonly windowSize?: number;
  /** Asks for the range once more after so many milliseconds: some of it was put off. Without it: the sweep does. */
  readonly again?: (range: DigestRange, afterMs: number) => Promise<void>;
  /** Told of a digest that can't be composed. */
  readonly onFault?: (error: unknown, row: Claim) => void;
};

/** How many rows ended in which state, by this run. */
export type DeliverySummary = Record<DigestResult['state'], number>;

/** How soon a range comes back of which something is due soon, in milliseconds: as long as a bucket takes to fill. */
const COME_BACK_MS = 10_000;
/** What is due later than this is left to the sweep. */
const SOON_MS = 60_000;

/**
 * Messages that a claim may wait for when all else of it is done, and let its place go to another: no more than a few connections hold.
 */
const LATE_ALONE = 10;

/** What a run is told. */
export type DeliverOptions = {
  /** Ends it: what is on the wire is finished, the rest is given back. */
  readonly signal?: AbortSignal;
  /** Called when all that is left are a few answers that don't come. */
  letGo?(): void;
};

/** Rows that are tried when a relay that refused us is probed. */
const PROBE_SIZE = 3;

/** Milliseconds until rows are tried again that were claimed where no journal can be written. */
const JOURNAL_PAUSE_MS = 15_000;

/**
 * Delivers a range of ledger rows, a block at a time: claim → compose → hand over → send → record, in windows, and give
 * the block back; while one window is on the wire the next is handed over and the one after it composed. Any number of
 * processes may run it on the same range.
 */
export function createDeliverDigests(deps: DeliverDependencies) {
  return async (range: DigestRange, options: DeliverOptions = {}) => {
    const summary: DeliverySummary = { sent: 0, failed: 0, unknown: 0, deferred: 0, planned: 0, skipped: 0 };
    while (!options.signal?.aborted) {
      const turn = await deps.halt.turn();
      if (turn === 'wait') break;
      const limit = turn === 'probe' ? PROBE_SIZE : (deps.claimSize ?? 500);
      const since = performance.now();
      const rows = await deps.ledger.claim(range, { limit, leaseMs: deps.leaseMs });
      if (rows.length === 0) break;
      const next = await deliverClaim(deps, rows, since, summary, options);
      // The usual end of a job: it was one block, and nothing of it is left.
      if (next === null && isOneBlock(range)) return summary;
    }
    if (!options.signal?.aborted && !deps.halt.active()) await askAgain(deps, range);
    return summary;
  };
}

const isOneBlock = ({ from, to }: DigestRange) => blockOf(from) === blockOf(to);

/** What limits put off for a moment comes back by itself; what is due later, or where the queue is away, the sweep finds. */
async function askAgain(deps: DeliverDependencies, range: DigestRange): Promise<void> {
  const due = deps.again && (await deps.ledger.nextDue(range));
  if (!due || due.getTime() - deps.now().getTime() > SOON_MS) return;
  await deps.again?.(range, COME_BACK_MS).catch(() => undefined);
}

/** @returns when the next row of the block is due; null when there is none, undefined when nobody can say */
async function deliverClaim(
  deps: DeliverDependencies,
  rows: ClaimedDigest[],
  since: number,
  summary: DeliverySummary,
  { signal, letGo }: DeliverOptions,
): Promise<Date | null | undefined> {
  const claims = rows.map(claimOf);
  const lease = keepLeases({ ledger: deps.ledger, claims, leaseMs: deps.leaseMs, since });
  let journal: ClaimJournal | undefined;
  try {
    const run = { deps, lease, summary, signal, late: new Set<Promise<void>>() };
    journal = await openJournal({ ...run, journal }, claims);
    await deliverWindows({ ...run, journal }, rows, letGo);
    const next = await release(deps, claims);
    // The journal is what gives the block back where the database could not be reached.
    if (next === undefined) journal?.abandon();
    else journal?.close();
    return next;
  } catch (error) {
    journal?.abandon();
    throw error;
  } finally {
    lease.stop();
    deps.ledger.drop(claims[0] as Claim);
  }
}

/** A database out of reach: the claim's journal ends the lease, or the sweep does once it has run out. */
const release = (deps: DeliverDependencies, claims: readonly Claim[]): Promise<Date | null | undefined> =>
  deps.ledger.release(claims[0] as Claim).catch(() => undefined);

/** Without a journal nothing may be sent: the rows are free again for a machine that has the space. @throws what opening it throws */
async function openJournal(run: DeliveryRun, claims: readonly Claim[]): Promise<ClaimJournal | undefined> {
  try {
    return run.deps.journals?.open(claims);
  } catch (error) {
    const dueAt = new Date(run.deps.now().getTime() + JOURNAL_PAUSE_MS);
    await record(
      run,
      claims.map((claim) => ({ ...claim, state: 'planned', dueAt })),
    );
    await release(run.deps, claims);
    throw error;
  }
}

/** Windows that are not recorded yet, at most: a database that is slow must not pile them up. */
const UNRECORDED = 2;

/**
 * Takes windows off the front of `rows`, so that what is done with can be forgotten. The next window is handed over when
 * half of the last one is settled: soon enough that no connection waits, and no sooner, since what is handed over can't
 * be called back.
 */
async function deliverWindows(
  run: DeliveryRun,
  rows: ClaimedDigest[],
  letGo: (() => void) | undefined,
): Promise<void> {
  const { deps, late } = run;
  const size = deps.windowSize ?? 100;
  const unrecorded: Promise<void>[] = [];
  try {
    let next = prepareAhead(deps, rows.slice(0, size));
    while (rows.length > 0) {
      if (run.fault !== undefined) throw run.fault;
      if (run.signal?.aborted || deps.halt.active()) break;
      const prepared = await bar(deps, await admit(run, await next));
      rows.splice(0, size);
      next = prepareAhead(deps, rows.slice(0, size));
      const handedOver = await handOver(run, prepared.sendable);
      const window = sendWindow(run, handedOver);
      const known = [...prepared.results, ...handedOver.moved];
      const recorded = recordWindow(run, known, window.results, handedOver.at);
      recorded.catch(() => undefined);
      unrecorded.push(recorded);
      await Promise.race([window.half, recorded]);
      if (unrecorded.length >= UNRECORDED) await unrecorded.shift();
      await untilFewer(late, size / 2);
    }
    await Promise.all(unrecorded);
    await untilFewer(late, LATE_ALONE + 1);
    if (late.size > 0) letGo?.();
    await untilFewer(late, 1);
    if (run.fault !== undefined) throw run.fault;
    // What was never handed over is as it was planned: it is free with its block, and nothing of it needs to be written.
    run.summary.planned += rows.length;
  } finally {
    // Whatever went wrong: what is on the wire is finished and recorded before this claim is given up.
    await Promise.allSettled(unrecorded);
    await Promise.allSettled(late);
  }
}

/** Begins to compose; a fault is met when the window's turn comes, if it comes. */
function prepareAhead(deps: DeliverDependencies, rows: readonly ClaimedDigest[]): Promise<PreparedWindow> {
  const prepared = prepare(deps, rows);
  prepared.catch(() => undefined);
  return prepared;
}
