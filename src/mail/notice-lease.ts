import type { NoticeClaim, NoticeStore } from './notice-store.ts';

/** Watches over the lease of one notice. */
export type NoticeLease = {
  /** False once the lease may have run out: from then on the notice may not be sent. Costs nothing. */
  holds(): boolean;
  stop(): void;
};

/**
 * Renews the lease of a notice every third of its time, for as long as its message waits or is on its way: a short lease
 * lets the notices of a killed process go on soon, and RFC 5321 allows a server ten minutes for its last answer.
 * @param since `performance.now()` when the claim was issued: before the database set the lease, so never too late
 */
export function keepNoticeLease(deps: {
  readonly store: Pick<NoticeStore, 'renew'>;
  readonly claim: NoticeClaim;
  readonly leaseMs: number;
  readonly since: number;
}): NoticeLease {
  const { store, claim, leaseMs } = deps;
  // What is sent now must be on the wire before the lease ends: a tenth is kept as margin.
  const endOf = (since: number) => since + leaseMs * 0.9;
  let until = endOf(deps.since);
  const renew = async () => {
    const since = performance.now();
    if (await store.renew(claim, leaseMs)) until = endOf(since);
  };
  // A database out of reach: the lease runs out, and `holds` says so.
  const timer = setInterval(() => void renew().catch(() => undefined), leaseMs / 3);
  timer.unref();
  return { holds: () => performance.now() < until, stop: () => clearInterval(timer) };
}
