import { Temporal } from 'temporal-polyfill';
import { type IsoDate, utcDate } from '#src/database/ids.ts';
import type { Schedule } from './subscriber.ts';

/**
 * When a digest is due. The slot of a local date D is **the first instant at which the wall clock of D reads the
 * reader's hour or later**: in a fold the first of the two, in a gap the end of the gap, even where that is
 * midnight of the next day (America/Nuuk, 23:00 on 2024-03-30). A date that a zone left out (Pacific/Apia,
 * 2011-12-30) has no slot. Thus every local date has exactly one slot or none, whatever the zone does.
 */

/** Days since 1970-01-01: what the arithmetic below counts in; dates are for people. */
type Day = number;
const DAY = 86_400_000;
const dayOf = (date: IsoDate): Day => Date.parse(date) / DAY;
const dateOf = (day: Day): IsoDate => utcDate(new Date(day * DAY));

/** Slots in epoch milliseconds (null: the date does not exist) by zone, then hour, then day. */
const cache = new Map<string, Map<Day, number | null>[]>();
const DAYS_KEPT = 32;

/** Computes a slot with Temporal: 20–80 µs. */
function computeSlot(timezone: string, hour: number, day: Day): number | null {
  const date = Temporal.PlainDate.from(dateOf(day));
  const wall = date.toPlainDateTime({ hour });
  const earlier = wall.toZonedDateTime(timezone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(wall)) return earlier.epochMilliseconds;
  // The hour falls into a gap: 'earlier' lies before it, and the gap's end is the next transition.
  if (!date.toZonedDateTime(timezone).toPlainDate().equals(date)) return null;
  const end = earlier.getTimeZoneTransition('next');
  if (!end) throw new Error(`no end of the gap at ${dateOf(day)} ${hour}:00 in ${timezone}`);
  return end.epochMilliseconds;
}

function slotOfDay(timezone: string, hour: number, day: Day): number | null {
  let hours = cache.get(timezone);
  if (!hours) cache.set(timezone, (hours = Array.from({ length: 24 }, () => new Map())));
  const slots = hours[hour];
  if (!slots) throw new RangeError(`not an hour: ${hour}`);
  let slot = slots.get(day);
  if (slot === undefined) {
    if (slots.size >= DAYS_KEPT) slots.clear();
    slots.set(day, (slot = computeSlot(timezone, hour, day)));
  }
  return slot;
}

/** The slot of a local date in epoch milliseconds, or null when the zone has no such date. Cached. */
export const slotAt = (timezone: string, hour: number, date: IsoDate): number | null =>
  slotOfDay(timezone, hour, dayOf(date));

const WORKDAYS = 0b0011111;

/**
 * The weekdays (bit 0 = Monday) on which a schedule mails: the frequency narrowed by the mask. Where the two
 * exclude each other ("weekdays", but only Saturday ticked) the ticked days win, so that a schedule never stays silent.
 */
export function mailingDays(schedule: Pick<Schedule, 'frequency' | 'weekdays'>): number {
  const mask = schedule.weekdays & 127 || 127;
  switch (schedule.frequency) {
    case 'daily':
      return mask;
    case 'weekdays':
      return mask & WORKDAYS || mask;
    case 'weekly':
      return mask & -mask;
  }
}

/** Bit of the weekday: day 0 was a Thursday. */
const weekdayBit = (day: Day): number => 1 << ((((day + 3) % 7) + 7) % 7);

/** The first slot strictly after an instant. Looks three weeks ahead: a weekly day can fall on a date that a zone left out. */
function nextSlot(schedule: Schedule, after: number): number {
  const days = mailingDays(schedule);
  // A slot lies within -14 h … +36 h of its date's UTC midnight, so yesterday is early enough to start.
  const first = Math.floor(after / DAY) - 1;
  for (let day = first; day < first + 24; day++) {
    if (!(weekdayBit(day) & days)) continue;
    const at = slotOfDay(schedule.timezone, schedule.hour, day);
    if (at !== null && at > after) return at;
  }
  throw new Error(`no slot within three weeks: ${JSON.stringify(schedule)}`);
}

/**
 * When the next digest is due: the first slot strictly after `after` (UTC instant). About 1 µs once the cache is
 * warm (a million readers have some 10,000 distinct pairs of zone and hour); pure but for that cache.
 * @throws RangeError when `timezone` is no IANA zone (validate with `parseZone` at the boundary)
 */
export function nextDigestAt(schedule: Schedule, after: Date): Date {
  return new Date(nextSlot(schedule, after.getTime()));
}

/** The first slot whose local date is `date` or later: when a pause that ends on that date mails again. */
export function firstSlotFrom(schedule: Schedule, date: IsoDate): Date {
  let at = nextSlot(schedule, (dayOf(date) - 2) * DAY);
  while (slotDate(schedule, new Date(at)) < date) at = nextSlot(schedule, at);
  return new Date(at);
}

/**
 * The local calendar date of a slot: the edition it gets. For an instant that is no slot of this schedule
 * (the reader has changed it meanwhile) the date the wall clock shows.
 */
export function slotDate(schedule: Pick<Schedule, 'timezone' | 'hour'>, at: Date): IsoDate {
  const time = at.getTime();
  const utcDay = Math.floor(time / DAY);
  for (let day = utcDay - 1; day <= utcDay + 1; day++)
    if (slotOfDay(schedule.timezone, schedule.hour, day) === time) return dateOf(day);
  return localDate(schedule.timezone, at);
}

/** The calendar date that a zone's wall clock shows at an instant. */
export function localDate(timezone: string, at: Date): IsoDate {
  const zoned = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timezone);
  return zoned.toPlainDate().toString() as IsoDate;
}
