import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import { quietOf } from './schedule.ts';
import type { Gap, SectionHealth, SourceHealth } from './source-health.ts';

/** Days that are caught up at most after a break. */
const MAX_GAP_DAYS = 30;
/** A gap that could not be read whole is tried again after these milliseconds, and given up after so many tries. */
const RETRY_MS = 6 * 3_600_000;
const MAX_TRIES = 8;

type Days = { readonly from: IsoDate; readonly to: IsoDate };

/**
 * What a source has listed without being read: the days since it last answered, if that was before yesterday, and the days
 * of sections whose list went from one day to a later one over a day that should have had a list of its own. Thirty at most.
 * @param sections as just read
 * @returns the gap, null when there is none, and whether it is time to read it
 */
export function gapToRead(
  before: SourceHealth,
  sections: ReadonlyMap<string, Pick<SectionHealth, 'newestListedOn'>>,
  at: Date,
): { readonly gap: Gap | null; readonly isDue: boolean } {
  const found = [
    daysSince(before.reachedAt, at),
    ...[...sections].map(([name, { newestListedOn }]) =>
      skippedDays(before.name, before.sections[name]?.newestListedOn ?? null, newestListedOn),
    ),
  ].filter((days) => days !== undefined);
  const known = before.gap !== null && before.gap.tries < MAX_TRIES ? before.gap : null;
  const days = [...found, ...(known ? [known] : [])];
  if (days.length === 0) return { gap: null, isDue: false };
  const earliest = addDays(utcDate(at), -MAX_GAP_DAYS);
  const from = days.map((each) => each.from).sort()[0] ?? earliest;
  const to =
    days
      .map((each) => each.to)
      .sort()
      .at(-1) ?? utcDate(at);
  const isNew = found.some((each) => !known || each.from < known.from || each.to > known.to);
  const { tries, triedAt } = known && !isNew ? known : { tries: 0, triedAt: null };
  const isDue = triedAt === null || at.getTime() - Date.parse(triedAt) >= RETRY_MS;
  return { gap: { from: from > earliest ? from : earliest, to, tries, triedAt }, isDue };
}

/** From the day of the last answer to yesterday; today's list is read anyway. */
function daysSince(reachedAt: string | null, at: Date): Days | undefined {
  if (reachedAt === null) return undefined;
  const from = utcDate(new Date(reachedAt));
  const to = addDays(utcDate(at), -1);
  return from < to ? { from, to } : undefined;
}

/** From the last list seen to the day before the new one, when a day between them should have had one. */
function skippedDays(source: string, last: IsoDate | null, newest: IsoDate | null): Days | undefined {
  if (last === null || newest === null) return undefined;
  const to = addDays(newest, -1);
  for (let day = addDays(last, 1); day <= to; day = addDays(day, 1))
    // Not on the word of a calendar of holidays: what it doesn't know would be lost.
    if (quietOf(source, day) !== 'weekend') return { from: last, to };
  return undefined;
}
