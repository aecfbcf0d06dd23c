import type { Journals } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { identityOf, isGone } from './process-identity.ts';
import type { RecoveryStore } from './recovery-store.ts';

/** What settling found. */
export type SettlementSummary = {
  /** Claims whose process was killed. */
  readonly claims: number;
  /** Digests whose fate the journal knew although the ledger didn't yet. */
  readonly recorded: number;
  /** Digests that were on the wire: `unknown`. */
  readonly unknown: number;
  /** Digests that were not: `planned` again. */
  readonly released: number;
};

/**
 * Settles the claims of killed processes of this machine from their journals, and frees what they had claimed and not
 * come to open a journal for: nothing was handed over under it. Run it when a process starts, before it
 * works, and every half minute: what a killed process had in hand is free again at once, without waiting for leases,
 * and only what was on the wire is in doubt.
 */
export function createSettleJournals(deps: {
  readonly journals: Pick<Journals, 'leftovers' | 'remove'>;
  readonly ledger: Pick<Ledger, 'record'>;
  readonly store: Pick<RecoveryStore, 'settleClaim' | 'idleHolders' | 'releaseIdle'>;
}): () => Promise<SettlementSummary> {
  return async () => {
    const summary = { claims: 0, recorded: 0, unknown: 0, released: 0 };
    for (const leftover of await deps.journals.leftovers()) {
      const recorded = await deps.ledger.record(leftover.results);
      const { unknown, released } = await deps.store.settleClaim(leftover);
      await deps.journals.remove(leftover);
      summary.claims += 1;
      summary.recorded += recorded.size;
      summary.unknown += unknown;
      summary.released += released;
    }
    const idle = await releaseGone(deps.store);
    return {
      ...summary,
      claims: summary.claims + idle.claims,
      released: summary.released + idle.released,
    };
  };
}

/** After the journals: a claim that has one is settled by it. */
async function releaseGone(store: Pick<RecoveryStore, 'idleHolders' | 'releaseIdle'>) {
  const gone = (await store.idleHolders()).filter((name) => {
    const identity = identityOf(name);
    return identity !== null && isGone(identity);
  });
  return store.releaseIdle(gone);
}
