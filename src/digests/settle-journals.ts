import type { NoticeId } from '#src/database/ids.ts';
import type { NoticeStore } from '#src/mail/notice-store.ts';
import type { Journals } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { identityOf, isGone } from './process-identity.ts';
import type { DigestRange } from './ranges.ts';
import type { RecoveryStore } from './recovery-store.ts';

/** What settling found. */
export type SettlementSummary = {
  /** Claims whose process was killed, or could not end them. */
  readonly claims: number;
  /** Digests whose fate the journal knew although the ledger didn't yet. */
  readonly recorded: number;
  /** Digests that were on the wire: `unknown`. */
  readonly unknown: number;
  /** Digests that were not: `planned` again. */
  readonly released: number;
  /** Notices that were on the wire, and those that are free again: to be delivered. */
  readonly unknownNotices: number;
  readonly notices: readonly NoticeId[];
  /** Blocks of this very process that it knew nothing of: to be delivered. */
  readonly strays: readonly DigestRange[];
};

/** What {@link createSettleJournals} needs. */
export type SettleDependencies = {
  readonly journals: Pick<Journals, 'leftovers' | 'noticeLeftovers' | 'remove'>;
  readonly ledger: Pick<Ledger, 'record' | 'releaseStrays'>;
  readonly store: Pick<RecoveryStore, 'settleClaim' | 'idleHolders' | 'releaseIdle'>;
  readonly notices: Pick<
    NoticeStore,
    'record' | 'settleClaim' | 'idleHolders' | 'releaseIdle' | 'releaseStrays'
  >;
  /** Told of a journal that can't be settled: the others are. */
  readonly onFault?: (error: unknown, file: string) => void;
};

/**
 * Settles the claims of killed processes of this machine from their journals, and frees what they had claimed and not
 * come to open a journal for: nothing was handed over under it. The same for what this process took without hearing of
 * it. Run it when a process starts, before it works, and every few seconds: what a killed process had in hand is free again at
 * once, without waiting for leases, and only what was on the wire is in doubt.
 */
export function createSettleJournals(deps: SettleDependencies): () => Promise<SettlementSummary> {
  return async () => {
    const digests = await settleDigests(deps);
    const notices = await settleNotices(deps);
    // After the journals: a claim that has one is settled by it.
    const idle = await deps.store.releaseIdle((await deps.store.idleHolders()).filter(isKnownGone));
    const idleNotices = await deps.notices.releaseIdle(
      (await deps.notices.idleHolders()).filter(isKnownGone),
    );
    const strays = await deps.ledger.releaseStrays();
    const strayNotices = await deps.notices.releaseStrays();
    return {
      claims: digests.claims + notices.claims + idle.claims + strays.length,
      recorded: digests.recorded,
      unknown: digests.unknown,
      released: digests.released + idle.released,
      unknownNotices: notices.unknown,
      notices: [...notices.freed, ...idleNotices, ...strayNotices],
      strays,
    };
  };
}

const isKnownGone = (name: string): boolean => {
  const identity = identityOf(name);
  return identity !== null && isGone(identity);
};

async function settleDigests({ journals, ledger, store, onFault }: SettleDependencies) {
  const sum = { claims: 0, recorded: 0, unknown: 0, released: 0 };
  for (const leftover of await journals.leftovers())
    await tryEach(onFault, leftover.file, async () => {
      const recorded = await ledger.record(leftover.results);
      const { unknown, released } = await store.settleClaim(leftover);
      await journals.remove(leftover);
      sum.claims += 1;
      sum.recorded += recorded.size;
      sum.unknown += unknown;
      sum.released += released;
    });
  return sum;
}

async function settleNotices({ journals, notices, onFault }: SettleDependencies) {
  const sum = { claims: 0, unknown: 0, freed: [] as NoticeId[] };
  for (const leftover of await journals.noticeLeftovers())
    await tryEach(onFault, leftover.file, async () => {
      for (const result of leftover.results) await notices.record(result);
      const { unknown, freed } = await notices.settleClaim(leftover);
      await journals.remove(leftover);
      sum.claims += 1;
      sum.unknown += unknown;
      sum.freed.push(...freed);
    });
  return sum;
}

/** One that can't be settled (the database has restarted, a file is damaged) holds up no other, nor the start of a worker. */
async function tryEach(
  onFault: SettleDependencies['onFault'],
  file: string,
  settle: () => Promise<void>,
): Promise<void> {
  try {
    await settle();
  } catch (error) {
    onFault?.(error, file);
  }
}
