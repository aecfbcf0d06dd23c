import type { IsoDate } from '#src/database/ids.ts';
import type { IngestReport } from './ingest.ts';
import type { SourceFault } from './paper.ts';

/** What is remembered of a source's polls. Instants are ISO 8601 texts in UTC. */
export type SourceHealth = {
  readonly name: string;
  readonly triedAt: string;
  /** The last poll without a fault. */
  readonly succeededAt: string | null;
  /** The last poll that brought a paper that was not known. */
  readonly newAt: string | null;
  /** The newest day it listed anything on. */
  readonly newestListedOn: IsoDate | null;
  /** Polls in a row with a fault; 0 when all is well. */
  readonly failures: number;
  /** Of the last poll. */
  readonly listings: number;
  readonly created: number;
  readonly faults: readonly SourceFault[];
};

/** How a source is: `never` tried, `ok`, `failing` (the last polls had faults), `stale` (answers, but with nothing recent). */
export type SourceState = 'never' | 'ok' | 'failing' | 'stale';

/** A line of `paperboy sources`. */
export type SourceStatus = SourceHealth & {
  readonly state: SourceState;
  /** Hours since the last poll without a fault; null when there was none. */
  readonly lagHours: number | null;
  /** The newest day it should have listed papers on by now; null where no schedule is known. */
  readonly expectedListedOn: IsoDate | null;
};

const FAULTS_KEPT = 5;

/** What to remember after a poll. `newestListedOn`: of the listings of this poll. */
export function healthAfter(
  before: SourceHealth | undefined,
  name: string,
  at: Date,
  poll: { report: IngestReport; newestListedOn: IsoDate | null } | { error: string },
): SourceHealth {
  const tried = { name, triedAt: at.toISOString() };
  if ('error' in poll) {
    const faults = [{ where: name, message: poll.error }];
    const { succeededAt = null, newAt = null, newestListedOn = null, failures = 0 } = before ?? {};
    return {
      ...tried,
      succeededAt,
      newAt,
      newestListedOn,
      failures: failures + 1,
      listings: 0,
      created: 0,
      faults,
    };
  }
  const { report, newestListedOn } = poll;
  const well = report.faultCount === 0;
  return {
    ...tried,
    succeededAt: well ? at.toISOString() : (before?.succeededAt ?? null),
    newAt: report.created > 0 ? at.toISOString() : (before?.newAt ?? null),
    newestListedOn: later(before?.newestListedOn ?? null, newestListedOn),
    failures: well ? 0 : (before?.failures ?? 0) + 1,
    listings: report.listings,
    created: report.created,
    faults: report.faults.slice(0, FAULTS_KEPT),
  };
}

function later(one: IsoDate | null, other: IsoDate | null): IsoDate | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}

/** How a source is at an instant. */
export function statusOf(health: SourceHealth, expectedListedOn: IsoDate | null, at: Date): SourceStatus {
  const { succeededAt, newestListedOn, failures } = health;
  const lagHours = succeededAt === null ? null : (at.getTime() - Date.parse(succeededAt)) / 3_600_000;
  const isStale = expectedListedOn !== null && (newestListedOn === null || newestListedOn < expectedListedOn);
  const state = failures > 0 ? 'failing' : isStale ? 'stale' : 'ok';
  return {
    ...health,
    state,
    lagHours: lagHours === null ? null : Math.round(lagHours * 10) / 10,
    expectedListedOn,
  };
}
