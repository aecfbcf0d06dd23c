import type { Claim, Ledger } from './ledger.ts';

/** Watches over the leases of one claim. */
export type LeaseKeeper = {
  /** False once the lease may have run out: from then on nothing may be sent under it. Costs nothing. */
  holds(): boolean;
  /** Tells that the lease was renewed by a statement issued at `since` (of `performance.now()`). */
  renewed(since: number): void;
  /** These rows are settled and need no lease any more. */
  settle(claims: readonly Claim[]): void;
  stop(): void;
};

/**
 * Renews the leases of rows still open every third of their time, and tells from the monotonic clock, without asking
 * anybody, whether they still hold: a process that was stopped or stalled for longer than its lease must not go on
 * sending what another one may have taken over meanwhile.
 * @param since `performance.now()` when the claim was issued: before the database set the lease, so never too late
 */
export function keepLeases(deps: {
  readonly ledger: Pick<Ledger, 'renew'>;
  readonly claims: readonly Claim[];
  readonly leaseMs: number;
  readonly since: number;
}): LeaseKeeper {
  const open = new Map(deps.claims.map((claim) => [claim.id, claim]));
  let until = deps.since + deps.leaseMs;
  // What is sent now must be on the wire before the lease ends: keep a tenth as margin.
  const margin = deps.leaseMs / 10;
  const renewed = (since: number) => {
    until = Math.max(until, since + deps.leaseMs);
  };
  const renew = async () => {
    if (open.size === 0) return;
    const since = performance.now();
    const wanted = [...open.values()];
    const held = await deps.ledger.renew(wanted, deps.leaseMs);
    // Rows settled while the statement ran don't count.
    if (wanted.every((claim) => held.has(claim.id) || !open.has(claim.id))) renewed(since);
  };
  // A database out of reach: the leases run out, and `holds` says so.
  const timer = setInterval(() => void renew().catch(() => undefined), deps.leaseMs / 3);
  timer.unref();
  return {
    holds: () => performance.now() < until - margin,
    renewed,
    settle: (claims) => {
      for (const claim of claims) open.delete(claim.id);
    },
    stop: () => clearInterval(timer),
  };
}
