import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';

/** Why a day brings no announcement. */
export type Quiet = 'weekend' | 'holiday';

/**
 * Days on which arXiv does not process submissions, as it publishes them each year
 * (https://info.arxiv.org/help/availability.html, "Holidays"). Of 2025 those of December are not known here; its
 * "Sunday 6 July" is the Friday before, which has no evening of its own.
 */
const PUBLISHED_HOLIDAYS: Readonly<Record<string, readonly string[]>> = {
  2023: ['01-16', '06-14', '06-19', '07-04', '09-04', '11-23', '12-25', '12-27'],
  2025: ['01-01', '01-20', '06-19', '07-04', '09-01', '11-27'],
  2026: ['01-01', '01-19', '06-19', '07-03', '09-07', '11-26', '12-25', '12-29', '12-31'],
};

/**
 * Why arXiv announces nothing under this date, undefined when it does. Announcements bear the dates Monday to Friday; each
 * holds what came in until the work day before, so a holiday empties the list of the work day after it: nothing bears
 * the date of Monday 2026-06-22, since Friday the 19th was a holiday.
 */
export function arxivQuiet(date: IsoDate): Quiet | undefined {
  if (isWeekend(date)) return 'weekend';
  return isHoliday(workDayBefore(date)) ? 'holiday' : undefined;
}

/** Why the community's daily list of Hugging Face is empty under this date. */
export function communityQuiet(date: IsoDate): Quiet | undefined {
  return isWeekend(date) ? 'weekend' : undefined;
}

/** When a source's list of a date should be there at the latest: 06:00 UTC for arXiv (midnight in New York and an hour), 12:00 UTC for the community's. */
const DUE_HOUR: Readonly<Record<string, number>> = { arxiv: 6, huggingface: 12 };

/** Why a source lists nothing under this date, undefined when it should, or when it keeps no schedule known here. */
export function quietOf(source: string, date: IsoDate): Quiet | undefined {
  if (source === 'arxiv') return arxivQuiet(date);
  return source === 'huggingface' ? communityQuiet(date) : undefined;
}

/** The newest date under which a source should have listed papers at an instant; null where no schedule is known. */
export function expectedListing(source: string, at: Date): IsoDate | null {
  const hour = DUE_HOUR[source];
  if (hour === undefined) return null;
  let date = utcDate(new Date(at.getTime() - hour * 3_600_000));
  while (quietOf(source, date) !== undefined) date = addDays(date, -1);
  return date;
}

/** True once a source's list of a date should be there. */
export function isDue(source: string, date: IsoDate, at: Date): boolean {
  const hour = DUE_HOUR[source] ?? 24;
  return at.getTime() >= Date.parse(`${date}T00:00:00Z`) + hour * 3_600_000;
}

const weekday = (date: IsoDate) => new Date(`${date}T00:00:00Z`).getUTCDay();
const isWeekend = (date: IsoDate) => weekday(date) === 0 || weekday(date) === 6;

function workDayBefore(date: IsoDate): IsoDate {
  const before = addDays(date, -1);
  return isWeekend(before) ? workDayBefore(before) : before;
}

/**
 * Published for the year, else by the rules that the published lists follow. After Christmas arXiv rests on one day or two that
 * differ from year to year: where they aren't published, any day may be one, so that an empty list is not taken for a late one.
 */
export function isHoliday(date: IsoDate): boolean {
  const year = date.slice(0, 4);
  const day = date.slice(5);
  const published = PUBLISHED_HOLIDAYS[year];
  if (published?.includes(day)) return true;
  const isUnsettled = day >= '12-24' && !published?.some((known) => known >= '12-24');
  return isUnsettled || (!published && ruledHolidays(Number(year)).includes(date));
}

/** New Year, Martin Luther King Jr. Day, Juneteenth, Independence Day, Labor Day, Thanksgiving, Christmas. */
function ruledHolidays(year: number): IsoDate[] {
  const fixed = ['01-01', '06-19', '07-04', '12-25'].map((day) => observed(`${year}-${day}` as IsoDate));
  return [...fixed, nth(year, 1, 1, 3), nth(year, 9, 1, 1), nth(year, 11, 4, 4)];
}

/** A fixed holiday on a Saturday is kept on Friday, on a Sunday on Monday. */
function observed(date: IsoDate): IsoDate {
  if (weekday(date) === 6) return addDays(date, -1);
  return weekday(date) === 0 ? addDays(date, 1) : date;
}

/** The n-th `day` (0 = Sunday) of a month. */
function nth(year: number, month: number, day: number, n: number): IsoDate {
  const first = `${year}-${String(month).padStart(2, '0')}-01` as IsoDate;
  return addDays(first, ((day - weekday(first) + 7) % 7) + (n - 1) * 7);
}
