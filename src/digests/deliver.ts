import { setTimeout as delay } from 'node:timers/promises';
import type { DigestId } from '#src/database/ids.ts';
import type { Halt } from '#src/mail/delivery-halt.ts';
import type { MailTransport, OutgoingMessage, SendOutcome } from '#src/mail/message.ts';
import type { Throttle } from '#src/mail/throttle.ts';
import { resultOf } from './delivery-outcome.ts';
import type { ClaimedDigest, SkipReason } from './digest.ts';
import type { ClaimJournal, Journals } from './journal.ts';
import { keepLeases, type LeaseKeeper } from './lease-keeper.ts';
import type { DigestRange, DigestResult, Ledger } from './ledger.ts';

/** What composing made of a row: a message, or why there is none. */
export type Composed = OutgoingMessage | { readonly skip: SkipReason };

/** Composes claimed rows; a row it leaves out has no content any more and is skipped as `address-gone`. */
export type ComposeDigests = (rows: readonly ClaimedDigest[]) => Promise<ReadonlyMap<DigestId, Composed>>;

/** What {@link createDeliverDigests} needs. */
export type DeliverDependencies = {
  readonly ledger: Pick<Ledger, 'claim' | 'handOver' | 'renew' | 'record'>;
  readonly compose: ComposeDigests;
  readonly transport: Pick<MailTransport, 'send'>;
  /** Those of these envelope addresses that must not be mailed. Asked right before sending. */
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
  /** Rows claimed at once (default 500), and rows handed over and recorded at once (default 100). */
  readonly claimSize?: number;
  readonly windowSize?: number;
  /** Told of a digest that can't be composed. */
  readonly onFault?: (error: unknown, row: ClaimedDigest) => void;
};

/** How many rows ended in which state, by this run. */
export type DeliverySummary = Record<DigestResult['state'], number>;

type Sendable = { readonly row: ClaimedDigest; readonly message: OutgoingMessage };
type Prepared = { readonly sendable: readonly Sendable[]; readonly results: readonly DigestResult[] };

/** Rows that are tried when a relay that refused us is probed. */
const PROBE_SIZE = 3;

/** Milliseconds until rows are tried again that were claimed where no journal can be written. */
const JOURNAL_PAUSE_MS = 15_000;

/** One claim on its way. */
type Run = {
  readonly deps: DeliverDependencies;
  readonly lease: LeaseKeeper;
  readonly journal: ClaimJournal | undefined;
  readonly summary: DeliverySummary;
  readonly signal: AbortSignal | undefined;
  /** Set when the journal can't be written: nothing more may be sent. */
  fault?: unknown;
};

/**
 * Delivers a range of ledger rows: claim → compose → hand over → send → record, in windows; while one window is on the
 * wire the next is composed. Any number of processes may run it on the same range.
 */
export function createDeliverDigests(deps: DeliverDependencies) {
  return async (range: DigestRange, options: { readonly signal?: AbortSignal } = {}) => {
    const summary: DeliverySummary = { sent: 0, failed: 0, unknown: 0, deferred: 0, planned: 0, skipped: 0 };
    while (!options.signal?.aborted) {
      const turn = await deps.halt.turn();
      if (turn === 'wait') break;
      const limit = turn === 'probe' ? PROBE_SIZE : (deps.claimSize ?? 500);
      const since = performance.now();
      const rows = await deps.ledger.claim(range, { limit, leaseMs: deps.leaseMs });
      if (rows.length === 0) break;
      await deliverClaim(deps, rows, since, summary, options.signal);
    }
    return summary;
  };
}

async function deliverClaim(
  deps: DeliverDependencies,
  rows: readonly ClaimedDigest[],
  since: number,
  summary: DeliverySummary,
  signal: AbortSignal | undefined,
): Promise<void> {
  const lease = keepLeases({ ledger: deps.ledger, claims: rows, leaseMs: deps.leaseMs, since });
  let journal: ClaimJournal | undefined;
  try {
    journal = await openJournal({ deps, lease, journal, summary, signal }, rows);
    await deliverWindows({ deps, lease, journal, summary, signal }, rows);
    journal?.close();
  } catch (error) {
    journal?.abandon();
    throw error;
  } finally {
    lease.stop();
  }
}

/** Without a journal nothing may be sent: the rows are free again for a machine that has the space. @throws what opening it throws */
async function openJournal(run: Run, rows: readonly ClaimedDigest[]): Promise<ClaimJournal | undefined> {
  try {
    return run.deps.journals?.open(rows);
  } catch (error) {
    const dueAt = new Date(run.deps.now().getTime() + JOURNAL_PAUSE_MS);
    await record(
      run,
      rows.map((row) => ({ ...claimOf(row), state: 'planned', dueAt })),
    );
    throw error;
  }
}

async function deliverWindows(run: Run, rows: readonly ClaimedDigest[]): Promise<void> {
  const { deps } = run;
  const windows = cut(rows, deps.windowSize ?? 100);
  let next: Promise<Prepared> | undefined;
  for (const [i, window] of windows.entries()) {
    if (run.signal?.aborted || deps.halt.active()) return giveBack(run, windows.slice(i).flat());
    const prepared = await admit(deps, await (next ?? prepare(deps, window)));
    const following = windows[i + 1];
    next = following && prepare(deps, following);
    // Its fault, if any, is met when its turn comes.
    next?.catch(() => undefined);
    const results = [...prepared.results, ...(await sendWindow(run, prepared.sendable))];
    await record(run, results);
    if (run.fault !== undefined) throw run.fault;
  }
}

const cut = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

const claimOf = ({ id, editionDate, leaseToken }: ClaimedDigest) => ({ id, editionDate, leaseToken });

const giveBack = (run: Run, rows: readonly ClaimedDigest[]): Promise<void> =>
  record(
    run,
    rows.map((row) => ({ ...claimOf(row), state: 'planned' })),
  );

/** Composes a window and takes out what must not be sent. */
async function prepare(deps: DeliverDependencies, rows: readonly ClaimedDigest[]): Promise<Prepared> {
  const { composed, failed } = await composeAll(deps, rows);
  const addresses = [...composed.values()].flatMap((item) => ('skip' in item ? [] : [item.envelope.to]));
  const suppressed = await deps.suppressedAmong(addresses);
  const sendable: Sendable[] = [];
  const results: DigestResult[] = [...failed];
  const broken = new Set(failed.map((result) => result.id));
  for (const row of rows) {
    if (broken.has(row.id)) continue;
    const item = composed.get(row.id) ?? { skip: 'address-gone' };
    if ('skip' in item) results.push({ ...claimOf(row), state: 'skipped', reason: item.skip });
    else if (suppressed.has(item.envelope.to))
      results.push({ ...claimOf(row), state: 'skipped', reason: 'suppressed' });
    else sendable.push({ row, message: item });
  }
  return { sendable, results };
}

/** Gives back, with a time of its own, what the limits don't let go now. */
async function admit(deps: DeliverDependencies, prepared: Prepared): Promise<Prepared> {
  const { throttle } = deps;
  if (!throttle) return prepared;
  const waits = await throttle.admit(prepared.sendable.map(({ message }) => message.envelope.to));
  const now = deps.now().getTime();
  const held = prepared.sendable.flatMap(({ row }, i): DigestResult[] => {
    const wait = waits[i] ?? 0;
    return wait === 0 ? [] : [{ ...claimOf(row), state: 'planned', dueAt: new Date(now + wait) }];
  });
  return {
    sendable: prepared.sendable.filter((_, i) => waits[i] === 0),
    results: [...prepared.results, ...held],
  };
}

/** Milliseconds until a digest that could not be composed is tried again. */
const RECOMPOSE_MS = 10 * 60_000;

/** One row that can't be composed must not hold up its whole window: it alone is put off. */
async function composeAll(deps: DeliverDependencies, rows: readonly ClaimedDigest[]) {
  const failed: DigestResult[] = [];
  try {
    return { composed: await deps.compose(rows), failed };
  } catch (error) {
    const composed = new Map<DigestId, Composed>();
    for (const row of rows) {
      try {
        for (const [id, item] of await deps.compose([row])) composed.set(id, item);
      } catch (fault) {
        failed.push(uncomposed(deps, row, fault));
      }
    }
    // All of them: that is not about the rows (a database out of reach …).
    if (failed.length === rows.length) throw error;
    return { composed, failed };
  }
}

/** Composing is tried again later: what is wrong may be mended, or was a database that came back in between. */
function uncomposed(deps: DeliverDependencies, row: ClaimedDigest, fault: unknown): DigestResult {
  deps.onFault?.(fault, row);
  const reply = `could not be composed: ${String(fault)}`;
  const dueAt = new Date(deps.now().getTime() + RECOMPOSE_MS);
  return dueAt < row.deadline
    ? { ...claimOf(row), state: 'deferred', reply, dueAt }
    : { ...claimOf(row), state: 'failed', reply };
}

async function sendWindow(run: Run, sendable: readonly Sendable[]): Promise<DigestResult[]> {
  if (sendable.length === 0) return [];
  const { deps, lease } = run;
  const since = performance.now();
  const claims = sendable.map(({ row }) => claimOf(row));
  // Rows left out are skipped, and recorded so, or another process's by now.
  const { ids } = await deps.ledger.handOver(claims, deps.leaseMs);
  lease.settle(claims.filter((claim) => !ids.has(claim.id)));
  const windowLease = since + deps.leaseMs * 0.9;
  const stillOurs = () => performance.now() < windowLease || lease.holds();
  return Promise.all(
    sendable.filter(({ row }) => ids.has(row.id)).map((item) => sendOne(run, item, stillOurs)),
  );
}

async function sendOne(
  run: Run,
  { row, message }: Sendable,
  stillOurs: () => boolean,
): Promise<DigestResult> {
  const { deps, journal } = run;
  const untried: DigestResult = { ...claimOf(row), state: 'planned' };
  let result: DigestResult = untried;
  let withdrawn = false;
  let begun = false;
  const mayGo = () => {
    withdrawn = run.fault !== undefined || !stillOurs() || deps.halt.active();
    return !withdrawn;
  };
  const outcome = await deps.transport.send(message, mayGo, {
    onContent: () => {
      if (!mayGo()) return false;
      try {
        journal?.begin(row.id);
      } catch (error) {
        run.fault = error;
        withdrawn = true;
        return false;
      }
      begun = true;
      return true;
    },
    onOutcome: (known) => {
      if (withdrawn) return;
      result = resultOf(row, known, { now: deps.now(), random: (deps.random ?? Math.random)() });
      if (begun) journal?.end(result);
    },
  });
  if (!withdrawn) await react(deps, message.envelope.to, outcome);
  return result;
}

async function react(deps: DeliverDependencies, address: string, outcome: SendOutcome): Promise<void> {
  deps.throttle?.learn(address, outcome);
  await deps.halt.learn(outcome);
  // A failed write must not hide what became of the message: the same reply comes again next time.
  if (outcome.type === 'rejected' && outcome.scope === 'address')
    await deps.suppress(address, outcome.reply).catch(() => undefined);
}

/** Milliseconds between attempts to record; what was sent must not be forgotten because the database restarts. */
const RECORD_PAUSES = [100, 250, 500, 1_000, 2_000, ...Array.from({ length: 120 }, () => 5_000)];

async function record(run: Run, results: readonly DigestResult[]): Promise<void> {
  for (const pause of RECORD_PAUSES) {
    try {
      const written = await run.deps.ledger.record(results);
      for (const result of results) if (written.has(result.id)) run.summary[result.state] += 1;
      run.lease.settle(results);
      return;
    } catch (error) {
      if (pause === RECORD_PAUSES.at(-1)) throw error;
      await delay(pause);
    }
  }
}
