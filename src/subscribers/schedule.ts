import { Temporal } from 'temporal-polyfill';
import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import type { Schedule } from './subscriber.ts';

/**
 * When a digest is due. The slot of a local date D is **the first instant at which the wall clock of D reads the
 * reader's hour or later**: in a fold the first of the two, in a gap the end of the gap, even where that is
 * midnight of the next day (America/Nuuk, 23:00 on 2024-03-30). A date that a zone left out (Pacific/Apia,
 * 2011-12-30) has no slot. Thus every local date has exactly one slot or none, whatever the zone does.
 */

/** Slots in epoch milliseconds (null: the date does not exist), by zone and hour, then by date. */
const cache = new Map<string, Map<IsoDate, number | null>>();
const DATES_KEPT = 32;

/** Computes the slot of `date` with Temporal: 20–80 µs, see {@link slotAt} for the cached way. */
function computeSlot(timezone: string, hour: number, date: IsoDate): number | null {
  const wall = Temporal.PlainDate.from(date).toPlainDateTime({ hour });
  const earlier = wall.toZonedDateTime(timezone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(wall)) return earlier.epochMilliseconds;
  // The hour falls into a gap: 'earlier' lies before it, and the gap's end is the next transition.
  const startOfDay = Temporal.PlainDate.from(date).toZonedDateTime(timezone);
  if (!startOfDay.toPlainDate().equals(date)) return null;
  const end = earlier.getTimeZoneTransition('next');
  if (!end) throw new Error(`no end of the gap at ${date} ${hour}:00 in ${timezone}`);
  return end.epochMilliseconds;
}

/** The slot of a local date in epoch milliseconds, or null when the zone has no such date. Cached: ≈ 0.1 µs. */
export function slotAt(timezone: string, hour: number, date: IsoDate): number | null {
  const key = `${hour} ${timezone}`;
  let slots = cache.get(key);
  if (!slots) cache.set(key, (slots = new Map()));
  let slot = slots.get(date);
  if (slot === undefined) {
    if (slots.size >= DATES_KEPT) slots.clear();
    slots.set(date, (slot = computeSlot(timezone, hour, date)));
  }
  return slot;
}

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

/** Bit of the weekday of a date. 1970-01-01 was a Thursday. */
const weekdayBit = (date: IsoDate): number => 1 << ((Date.parse(date) / 86_400_000 + 3) % 7);

/**
 * The first slot strictly after an instant, and the local date it belongs to.
 * Looks at most three weeks ahead: a weekly day can fall on a date that the zone left out.
 */
function nextSlot(schedule: Schedule, after: Date): { at: number; date: IsoDate } {
  const days = mailingDays(schedule);
  // A slot lies within -14 h … +36 h of its date's UTC midnight, so yesterday is early enough to start.
  let date = addDays(utcDate(after), -1);
  for (let i = 0; i < 24; i++, date = addDays(date, 1)) {
    if (!(weekdayBit(date) & days)) continue;
    const at = slotAt(schedule.timezone, schedule.hour, date);
    if (at !== null && at > after.getTime()) return { at, date };
  }
  throw new Error(`no slot within three weeks: ${JSON.stringify(schedule)}`);
}

/**
 * When the next digest is due: the first slot strictly after `after` (UTC instant). About 1 µs once the cache is
 * warm (a million readers have some 10,000 distinct pairs of zone and hour); pure but for that cache.
 * @throws RangeError when `timezone` is no IANA zone (validate with `parseZone` at the boundary)
 */
export function nextDigestAt(schedule: Schedule, after: Date): Date {
  return new Date(nextSlot(schedule, after).at);
}

/**
 * The local calendar date of a slot: the edition it gets. For an instant that is no slot of this schedule
 * (the reader has changed it meanwhile) the date the wall clock shows.
 */
export function slotDate(schedule: Pick<Schedule, 'timezone' | 'hour'>, at: Date): IsoDate {
  const utc = utcDate(at);
  for (const date of [addDays(utc, -1), utc, addDays(utc, 1)])
    if (slotAt(schedule.timezone, schedule.hour, date) === at.getTime()) return date;
  return localDate(schedule.timezone, at);
}

/** The calendar date that a zone's wall clock shows at an instant. */
export function localDate(timezone: string, at: Date): IsoDate {
  const zoned = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timezone);
  return zoned.toPlainDate().toString() as IsoDate;
}
