import type { DigestId } from '#src/database/ids.ts';
import type { LedgerReport, UnknownDigest } from './ledger-report-store.ts';
import type { RelayFate } from './relay-log.ts';

/** How an operator settles a digest whose fate is unknown. `resend` sends it once more under the same Message-ID. */
export type Resolution = 'sent' | 'failed' | 'resend';

/** What {@link createResolve} did. */
export type ResolveSummary = {
  readonly sent: number;
  readonly failed: number;
  readonly resend: number;
  /** Still unknown: the log says nothing of them. */
  readonly left: number;
};

/** What {@link createResolve} needs. */
export type ResolveDependencies = {
  readonly report: Pick<LedgerReport, 'unknown' | 'settle'>;
  /** The Message-ID that a digest went out under, with angle brackets. */
  readonly messageIdOf: (digest: UnknownDigest) => string;
};

/** Settles `unknown` digests by hand, or from what a relay's log tells of their Message-IDs. */
export function createResolve({ report, messageIdOf }: ResolveDependencies) {
  const settle = async (groups: Record<Resolution, DigestId[]>, total: number): Promise<ResolveSummary> => {
    const sent = await report.settle(groups.sent, 'sent');
    const failed = await report.settle(groups.failed, 'failed');
    const resend = await report.settle(groups.resend, 'resend');
    return { sent, failed, resend, left: total - sent - failed - resend };
  };
  return {
    /** These digests, all in the same way. Those that are not `unknown` (any more) are left alone. */
    byHand: (ids: readonly DigestId[], resolution: Resolution) =>
      settle({ sent: [], failed: [], resend: [], [resolution]: [...ids] }, ids.length),
    /**
     * All unknown digests that the log tells of. What the relay accepted is `sent`, what it bounced `failed`.
     * @param missing what to do with those it doesn't name: a log that covers the whole time proves that they never
     *   arrived, and they can be resent
     */
    byLog: async (fates: ReadonlyMap<string, RelayFate>, missing: 'leave' | 'resend') => {
      const unknown = await report.unknown();
      const groups: Record<Resolution, DigestId[]> = { sent: [], failed: [], resend: [] };
      for (const digest of unknown) {
        const fate = fates.get(messageIdOf(digest));
        if (fate !== undefined) groups[fate === 'bounced' ? 'failed' : 'sent'].push(digest.id);
        else if (missing === 'resend') groups.resend.push(digest.id);
      }
      return settle(groups, unknown.length);
    },
  };
}
