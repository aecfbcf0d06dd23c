import type { NoticeStore } from '#src/mail/notice-store.ts';
import type { JobQueue } from '#src/queue/jobs.ts';
import type { Claim } from './ledger.ts';
import type { RecoveryStore } from './recovery-store.ts';

/** What {@link createSweep} needs. */
export type SweepDependencies = {
  readonly store: RecoveryStore;
  readonly notices: Pick<NoticeStore, 'recover'>;
  readonly queue: JobQueue;
  /** How many `deliver-digests` jobs wait or run: while they are many, due rows are not lost but waiting their turn. */
  readonly backlog?: () => Promise<number>;
  /** `resend`: a digest in doubt is sent once more, under the same Message-ID; `leave`: it stays `unknown`. */
  readonly unknownPolicy: 'resend' | 'leave';
  /** How long a row stays `unknown` before it is resent, so that a late result can still come; milliseconds. */
  readonly resendAfterMs?: number;
  /** How long a due row may wait before its job counts as lost; milliseconds. */
  readonly strandedAfterMs?: number;
  /**
   * A hand-over is given up when its lease has been seen lapsed for this long on this process's monotonic clock: a
   * database clock that jumps ahead must not take rows from a worker that is alive. Milliseconds.
   */
  readonly graceMs?: number;
};

/** What one sweep did. */
export type SweepSummary = {
  /** `claimed` rows given back. */
  readonly released: number;
  /** `handed_over` rows given up as `unknown`. */
  readonly unknown: number;
  /** `unknown` rows put back to be sent once more. */
  readonly resent: number;
  /** Rows past their deadline. */
  readonly expired: number;
  /** Jobs made for digests and for notices. */
  readonly jobs: number;
};

const MINUTE = 60_000;
/** How often the whole ledger is looked through for what was forgotten; also at the first sweep of a process. */
const AUDIT_MS = 60 * MINUTE;
/** Rows given up and jobs made by one sweep at most; the next one goes on. */
const LIMITS = { lapsed: 10_000, jobs: 2_000, backlog: 1_000, noticesPerJob: 50 };

/** What one look at leases did: see {@link SweepSummary}. */
export type LapseSummary = Pick<SweepSummary, 'released' | 'unknown' | 'resent'>;

/**
 * Ends leases that have run out, gives up what was handed over under them and never told of, and puts what is in doubt back
 * to be sent once more, each when its time has come. It is cheap: run it in every process every few seconds, since each
 * of them measures the time of grace for itself.
 */
export function createLapseWatch(
  deps: Pick<SweepDependencies, 'store' | 'unknownPolicy' | 'resendAfterMs' | 'graceMs'>,
): () => Promise<LapseSummary> {
  const { store } = deps;
  /** Since when this process has seen a lapsed hand-over, by row and token. */
  const seenLapsed = new Map<string, number>();
  return async () => {
    const released = await store.releaseLapsed();
    const unknown = await giveUpLapsed(deps, seenLapsed);
    const resent =
      deps.unknownPolicy === 'resend' ? await store.resendUnknown(deps.resendAfterMs ?? MINUTE) : 0;
    return { released, unknown, resent };
  };
}

/**
 * Puts right whatever a crash, a flushed queue or an outage left behind, from the ledger alone. Run it every minute, in
 * as many processes as there are, and once at start.
 * @param watch of this process, which others run as well
 */
export function createSweep(
  deps: SweepDependencies,
  watch: () => Promise<LapseSummary> = createLapseWatch(deps),
): () => Promise<SweepSummary> {
  let audited = Number.NEGATIVE_INFINITY;
  return async () => {
    const { store } = deps;
    if (performance.now() - audited >= AUDIT_MS) {
      await store.reopenForgotten();
      audited = performance.now();
    }
    const lapsed = await watch();
    const expired = await store.expire();
    await store.closeFinished();
    const jobs = (await enqueueDigests(deps)) + (await enqueueNotices(deps));
    return { ...lapsed, expired, jobs };
  };
}

async function giveUpLapsed(
  deps: Pick<SweepDependencies, 'store' | 'graceMs'>,
  seenLapsed: Map<string, number>,
): Promise<number> {
  const now = performance.now();
  const lapsed = await deps.store.lapsedHandOvers(LIMITS.lapsed);
  const key = (claim: Claim) => `${claim.id} ${claim.leaseToken}`;
  const keys = new Set(lapsed.map(key));
  for (const known of seenLapsed.keys()) if (!keys.has(known)) seenLapsed.delete(known);
  const given = lapsed.filter((claim) => {
    const since = seenLapsed.get(key(claim)) ?? now;
    seenLapsed.set(key(claim), since);
    return now - since >= (deps.graceMs ?? MINUTE);
  });
  return (await deps.store.giveUp(given, 'the worker vanished after hand-over')).length;
}

async function enqueueDigests(deps: SweepDependencies): Promise<number> {
  if (deps.backlog && (await deps.backlog()) >= LIMITS.backlog) return 0;
  const ranges = await deps.store.stranded(deps.strandedAfterMs ?? MINUTE, LIMITS.jobs);
  for (const range of ranges) await deps.queue.add('deliver-digests', range);
  return ranges.length;
}

async function enqueueNotices(deps: SweepDependencies): Promise<number> {
  const ids = await deps.notices.recover({
    resend: deps.unknownPolicy === 'resend',
    waitMs: deps.strandedAfterMs ?? 15_000,
  });
  let jobs = 0;
  for (let start = 0; start < ids.length; start += LIMITS.noticesPerJob) {
    await deps.queue.add('deliver-notices', { ids: ids.slice(start, start + LIMITS.noticesPerJob) });
    jobs += 1;
  }
  return jobs;
}
