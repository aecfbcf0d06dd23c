import type { IsoDate } from '#src/database/ids.ts';
import type { Coverage } from './coverage.ts';
import type { IngestReport } from './ingest.ts';
import type { SourceFault } from './paper.ts';

/** What is remembered of a section of a source, such as an arXiv category. Instants are ISO 8601 texts in UTC. */
export type SectionHealth = {
  /** The last poll that read it without a fault. */
  readonly succeededAt: string | null;
  /** The newest day it listed anything on. */
  readonly newestListedOn: IsoDate | null;
  /** Why the last poll didn't read it whole; null when it did. */
  readonly fault: string | null;
};

/** Days that were missed and are to be read, included, with the tries so far. */
export type Gap = {
  readonly from: IsoDate;
  readonly to: IsoDate;
  readonly tries: number;
  readonly triedAt: string | null;
};

/** What is remembered of a source's polls. Instants are ISO 8601 texts in UTC. */
export type SourceHealth = {
  readonly name: string;
  readonly triedAt: string;
  /** The last poll without a fault. */
  readonly succeededAt: string | null;
  /** The last poll that it answered at all, faults or not. */
  readonly reachedAt: string | null;
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
  /** By the name of the section, where the source has any. */
  readonly sections: Readonly<Record<string, SectionHealth>>;
  /** What was missed and not read yet. */
  readonly gap: Gap | null;
};

/** How a source is: `never` tried, `ok`, `failing` (the last polls had faults), `stale` (answers, but with nothing recent). */
export type SourceState = 'never' | 'ok' | 'failing' | 'stale';

/** How a section of a source is. */
export type SectionStatus = SectionHealth & {
  readonly section: string;
  readonly state: SourceState;
  /** New papers under the newest date that should be there, and how many there usually are; null when unknown. */
  readonly fresh: number | null;
  readonly expected: number | null;
};

/** A line of `paperboy sources`. */
export type SourceStatus = Omit<SourceHealth, 'sections'> & {
  readonly state: SourceState;
  /** Hours since the last poll without a fault; null when there was none. */
  readonly lagHours: number | null;
  /** The newest day it should have listed papers on by now; null where no schedule is known. */
  readonly expectedListedOn: IsoDate | null;
  readonly sections: readonly SectionStatus[];
};

const FAULTS_KEPT = 5;

/** What a poll found, besides the report of its ingest. */
export type PollFindings = {
  readonly newestListedOn: IsoDate | null;
  readonly sections: ReadonlyMap<string, Pick<SectionHealth, 'newestListedOn' | 'fault'>>;
  readonly gap: Gap | null;
  /** Something was read, or nothing was new. */
  readonly answered: boolean;
};

/** A source before its first poll. */
export const unpolled = (name: string, at: Date): SourceHealth => ({
  name,
  triedAt: at.toISOString(),
  succeededAt: null,
  reachedAt: null,
  newAt: null,
  newestListedOn: null,
  failures: 0,
  listings: 0,
  created: 0,
  faults: [],
  sections: {},
  gap: null,
});

/** What to remember after a poll that broke down. */
export function healthAfterCrash(before: SourceHealth, at: Date, message: string): SourceHealth {
  return {
    ...before,
    triedAt: at.toISOString(),
    failures: before.failures + 1,
    listings: 0,
    created: 0,
    faults: [{ where: before.name, message }],
  };
}

/** What to remember after a poll. */
export function healthAfter(
  before: SourceHealth,
  at: Date,
  report: IngestReport,
  found: PollFindings,
): SourceHealth {
  const now = at.toISOString();
  const well = report.faultCount === 0;
  const sections = [...found.sections].map(([name, now]) => [
    name,
    sectionAfter(before.sections[name], at, now),
  ]);
  return {
    name: before.name,
    triedAt: now,
    succeededAt: well ? now : before.succeededAt,
    reachedAt: found.answered ? now : before.reachedAt,
    newAt: report.created > 0 ? now : before.newAt,
    newestListedOn: later(before.newestListedOn, found.newestListedOn),
    failures: well ? 0 : before.failures + 1,
    listings: report.listings,
    created: report.created,
    faults: report.faults.slice(0, FAULTS_KEPT),
    // A category that is no longer followed is forgotten.
    sections: found.sections.size > 0 ? Object.fromEntries(sections) : before.sections,
    gap: found.gap,
  };
}

function sectionAfter(
  before: SectionHealth | undefined,
  at: Date,
  { newestListedOn, fault }: Pick<SectionHealth, 'newestListedOn' | 'fault'>,
): SectionHealth {
  return {
    succeededAt: fault === null ? at.toISOString() : (before?.succeededAt ?? null),
    newestListedOn: later(before?.newestListedOn ?? null, newestListedOn),
    fault,
  };
}

function later(one: IsoDate | null, other: IsoDate | null): IsoDate | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}

/**
 * How a source is at an instant.
 * @param due the newest list that should be there: its date (null where no schedule is known), and the coverage of its
 *   sections; null where there are no lists
 */
export function statusOf(
  health: SourceHealth,
  due: { readonly on: IsoDate | null; readonly coverage: readonly Coverage[] } | null,
  at: Date,
): SourceStatus {
  const { succeededAt, newestListedOn, failures } = health;
  const expected = due?.on ?? null;
  const lagHours = succeededAt === null ? null : (at.getTime() - Date.parse(succeededAt)) / 3_600_000;
  const sections = Object.entries(health.sections).map(([section, known]) =>
    sectionStatus(
      section,
      known,
      expected,
      due?.coverage.find((part) => part.section === section),
    ),
  );
  const isStale =
    (expected !== null && (newestListedOn === null || newestListedOn < expected)) ||
    sections.some(({ state }) => state === 'stale');
  return {
    ...health,
    state: failures > 0 ? 'failing' : isStale ? 'stale' : 'ok',
    lagHours: lagHours === null ? null : Math.round(lagHours * 10) / 10,
    expectedListedOn: expected,
    sections,
  };
}

function sectionStatus(
  section: string,
  known: SectionHealth,
  on: IsoDate | null,
  due: Coverage | undefined,
): SectionStatus {
  // A list of the day that holds cross-lists only is there, even where too little is known of what is usual.
  const isStale = due?.state === 'late' && (known.newestListedOn ?? '') < (on ?? '');
  const state = known.fault !== null ? 'failing' : isStale ? 'stale' : 'ok';
  return { ...known, section, state, fresh: due?.fresh ?? null, expected: due?.expected ?? null };
}
