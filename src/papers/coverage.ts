import type { IsoDate } from '#src/database/ids.ts';
import type { CoverageView } from '#src/mail/digest-view.ts';
import { isDue, type Quiet, quietOf } from './schedule.ts';

/** What one source listed in one section on one date; every listing is counted in one of the last four. */
export type DayCounts = {
  readonly section: string;
  readonly listedOn: IsoDate;
  /** Papers listed, whatever for. */
  readonly received: number;
  /** New, with this section as the primary category. */
  readonly fresh: number;
  /** New, with another primary category, or cross-listed later. */
  readonly crossed: number;
  readonly replaced: number;
  /** Listed on an earlier day already: a list that was not renewed, or a paper brought up again. */
  readonly repeated: number;
};

/** What an edition had of one source and section. */
export type Coverage = Omit<DayCounts, 'listedOn'> & {
  readonly source: string;
  /** How many new papers such a day usually brings: the median of up to four weeks; 0 on a quiet day, null when unknown. */
  readonly expected: number | null;
  /** `quiet`: nothing is announced that day · `waiting`: not due yet · `late`: due, and not there or not renewed. */
  readonly state: 'complete' | 'waiting' | 'late' | 'quiet';
  readonly quiet?: Quiet;
};

/** Below this share of what is usual a list counts as not there yet. */
const LATE_BELOW = 0.25;
/** Fewer days than these say little of what is usual: then anything new is a list. */
const DAYS_TO_JUDGE = 3;
/** Where fewer than these are usual, a day without any is nothing unusual. */
const ENOUGH_TO_EXPECT = 4;

/**
 * The coverage of one source and section on a date. A list that only repeats earlier papers is a list that was not renewed.
 * @param days counts of the date itself and of the days before, in any order; dates without listings may be absent
 */
export function coverageOf(
  source: string,
  section: string,
  on: IsoDate,
  days: readonly DayCounts[],
  at: Date,
): Coverage {
  const own = days.filter((day) => day.section === section);
  const today = own.find((day) => day.listedOn === on) ?? nothing(section, on);
  const quiet = quietOf(source, on);
  const before = own.filter((day) => day.listedOn < on && quietOf(source, day.listedOn) === undefined);
  const expected = quiet ? 0 : median(before.map((day) => day.fresh));
  const { listedOn: _listedOn, ...counts } = today;
  const coverage = { source, ...counts, expected };
  if (quiet && today.fresh === 0) return { ...coverage, state: 'quiet', quiet };
  if (isThere(today, expected, before.length)) return { ...coverage, state: 'complete' };
  return { ...coverage, state: isDue(source, on, at) ? 'late' : 'waiting' };
}

function isThere(today: DayCounts, expected: number | null, daysKnown: number): boolean {
  if (expected === null) return today.fresh > 0;
  if (expected < ENOUGH_TO_EXPECT) return today.received > 0 || expected === 0;
  return today.fresh >= (daysKnown < DAYS_TO_JUDGE ? 1 : expected * LATE_BELOW);
}

const nothing = (section: string, listedOn: IsoDate): DayCounts => ({
  section,
  listedOn,
  received: 0,
  fresh: 0,
  crossed: 0,
  replaced: 0,
  repeated: 0,
});

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/**
 * The newest slot that may be planned at `at`: a late source holds editions back up to `patienceMs` after the hour their
 * readers asked for; then they go out marked, and what comes later is in the next one.
 * @param coverage of the newest lists that are due, see `createLatestSlot`
 */
export function latestSlot(coverage: readonly Coverage[], at: Date, patienceMs: number): Date {
  const isLate = coverage.some(({ state }) => state === 'late');
  return isLate ? new Date(at.getTime() - patienceMs) : at;
}

const SOURCE_NAMES: Readonly<Record<string, string>> = {
  arxiv: 'arXiv',
  huggingface: 'Hugging Face',
  biorxiv: 'bioRxiv',
  medrxiv: 'medRxiv',
};

/** How a part of the coverage is called: its category, else the source's own name. */
export function nameOf({ source, section }: Pick<Coverage, 'source' | 'section'>): string {
  return section === '' ? (SOURCE_NAMES[source] ?? source) : section;
}

/** Categories of a source that are told one by one; of more their sum is told. */
const SECTIONS_TOLD = 3;

/** The coverage for the line in a digest, short however many categories are followed. What is not due yet isn't in it. */
export function coverageView(coverage: readonly Coverage[]): CoverageView {
  const sources = [...Map.groupBy(coverage, ({ source }) => source).values()];
  const of = (parts: readonly Coverage[], state: Coverage['state']) =>
    parts.filter((part) => part.state === state);
  return {
    fresh: sources.flatMap((parts) => freshOf(of(parts, 'complete'))),
    late: sources.flatMap((parts) => {
      const late = of(parts, 'late');
      return late.length > SECTIONS_TOLD && late.length === parts.length
        ? late.slice(0, 1).map(sourceName)
        : late.map(nameOf);
    }),
    quiet: sources.flatMap((parts) =>
      of(parts, 'quiet')
        .slice(0, 1)
        .flatMap((part) => (part.quiet ? [{ name: sourceName(part), why: part.quiet }] : [])),
    ),
  };
}

const sourceName = ({ source }: Coverage) => nameOf({ source, section: '' });

function freshOf(parts: readonly Coverage[]): CoverageView['fresh'] {
  const [first] = parts;
  if (!first || parts.length <= SECTIONS_TOLD)
    return parts.map((part) => ({ name: nameOf(part), count: part.fresh }));
  return [{ name: sourceName(first), count: parts.reduce((sum, { fresh }) => sum + fresh, 0) }];
}

/** Reads the coverage out of a stored edition; null where it was not noted yet. */
export function readCoverage(stored: unknown): readonly Coverage[] | null {
  return Array.isArray(stored) ? stored : null;
}
