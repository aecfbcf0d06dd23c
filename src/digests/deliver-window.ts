import type { DigestId } from '#src/database/ids.ts';
import { type Mail, recipientOf } from '#src/mail/message.ts';
import type { Composed, DeliverDependencies, DeliverySummary } from './deliver.ts';
import type { Attempt } from './delivery-outcome.ts';
import type { ClaimedDigest } from './digest.ts';
import type { ClaimJournal } from './journal.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Claim, DigestResult } from './ledger.ts';

/** One claim on its way. */
export type DeliveryRun = {
  readonly deps: DeliverDependencies;
  readonly lease: LeaseKeeper;
  readonly journal: ClaimJournal | undefined;
  readonly summary: DeliverySummary;
  readonly signal: AbortSignal | undefined;
  /** Messages whose server has not answered although the rest of their window is over: each is recorded by itself. */
  readonly late: Set<Promise<void>>;
  /** Set when the journal can't be written: nothing more may be sent. */
  fault?: unknown;
};

/** A row that may be sent. */
export type Sendable = { readonly row: Attempt; readonly mail: Mail };
/** A composed window: what may be sent, and what became of the other rows already. */
export type PreparedWindow = {
  readonly sendable: readonly Sendable[];
  readonly results: readonly DigestResult[];
};
/** A window that may be sent until `until` (of `performance.now()`), or for as long as its claim's lease is renewed. */
export type HandedOver = {
  readonly sendable: readonly Sendable[];
  readonly until: number;
  readonly at: Date;
  /** Composed for an address that is no longer the reader's: to be composed again. */
  readonly moved: readonly DigestResult[];
};

/** What names a row in the ledger, and nothing else of it. */
export const claimOf = ({ id, editionDate, leaseToken }: Claim): Claim => ({ id, editionDate, leaseToken });

/**
 * Composes a window and takes out what must not be sent.
 * @throws what composing throws, when it fails for all of the rows
 */
export async function prepare(
  deps: DeliverDependencies,
  rows: readonly ClaimedDigest[],
): Promise<PreparedWindow> {
  if (rows.length === 0) return { sendable: [], results: [] };
  const { composed, failed } = await composeAll(deps, rows);
  const sendable: Sendable[] = [];
  const results: DigestResult[] = [...failed];
  const broken = new Set(failed.map((result) => result.id));
  for (const row of rows) {
    if (broken.has(row.id)) continue;
    const item = composed.get(row.id) ?? { skip: 'address-gone' };
    if ('skip' in item) results.push({ ...claimOf(row), state: 'skipped', reason: item.skip });
    else sendable.push({ row, mail: item });
  }
  return { sendable, results };
}

/**
 * Takes out whose address bounced or complained until now: composing is a window ahead, and the limits may have held it
 * up since.
 */
export async function bar(
  deps: Pick<DeliverDependencies, 'suppressedAmong'>,
  { sendable, results }: PreparedWindow,
): Promise<PreparedWindow> {
  if (sendable.length === 0) return { sendable, results };
  const suppressed = await deps.suppressedAmong(sendable.map(({ mail }) => recipientOf(mail)));
  if (suppressed.size === 0) return { sendable, results };
  const isBarred = ({ mail }: Sendable) => suppressed.has(recipientOf(mail));
  const barred = sendable.filter(isBarred);
  return {
    sendable: sendable.filter((item) => !isBarred(item)),
    results: [
      ...results,
      ...barred.map(({ row }): DigestResult => ({ ...claimOf(row), state: 'skipped', reason: 'suppressed' })),
    ],
  };
}

/** Gives back, with a time of its own, what the limits don't let go now. */
export async function admit(run: DeliveryRun, prepared: PreparedWindow): Promise<PreparedWindow> {
  const { deps, signal } = run;
  if (!deps.throttle || prepared.sendable.length === 0) return prepared;
  const addresses = prepared.sendable.map(({ mail }) => recipientOf(mail));
  const waits = await deps.throttle.admit(addresses, signal);
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

/**
 * What becomes of a row that could not be composed: it is tried again later, for what is wrong may be mended, or was a database that came back in between.
 */
export function uncomposed(deps: DeliverDependencies, row: Attempt, fault: unknown): DigestResult {
  deps.onFault?.(fault, row);
  const reply = `could not be composed: ${String(fault)}`;
  const dueAt = new Date(deps.now().getTime() + RECOMPOSE_MS);
  return dueAt < row.deadline
    ? { ...claimOf(row), state: 'deferred', reply, dueAt }
    : { ...claimOf(row), state: 'failed', reply };
}

/** Milliseconds until the digest of a reader who has just moved is composed again. */
const MOVED_MS = 5_000;

/**
 * Commits that a window is about to be sent. Rows that are not in the answer are skipped, and recorded so, or another
 * process's by now.
 */
export async function handOver(run: DeliveryRun, sendable: readonly Sendable[]): Promise<HandedOver> {
  const { deps, lease } = run;
  const since = performance.now();
  const until = since + deps.leaseMs * 0.9;
  const at = deps.now();
  if (sendable.length === 0) return { sendable, until, at, moved: [] };
  const claims = sendable.map(({ row, mail }) => ({
    ...claimOf(row),
    subscriberId: row.subscriberId,
    address: recipientOf(mail),
  }));
  const { ids, skipped } = await deps.ledger.handOver(claims, deps.leaseMs);
  if (ids.size === claims.length) return { sendable, until, at, moved: [] };
  const rest = claims.filter((claim) => !ids.has(claim.id));
  lease.settle(rest);
  // Where it is rather that another process has the row, recording this changes nothing: the token is another.
  const dueAt = new Date(deps.now().getTime() + MOVED_MS);
  const moved = rest.filter(({ id }) => !skipped.has(id));
  return {
    sendable: sendable.filter(({ row }) => ids.has(row.id)),
    until,
    at,
    moved: moved.map((claim) => ({ ...claimOf(claim), state: 'planned', dueAt })),
  };
}
