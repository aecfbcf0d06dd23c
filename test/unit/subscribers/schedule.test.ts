import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { addDays, type IsoDate, isoDate } from '#src/database/ids.ts';
import { firstSlotFrom, mailingDays, nextDigestAt, slotAt, slotDate } from '#src/subscribers/schedule.ts';
import type { Schedule } from '#src/subscribers/subscriber.ts';
import { parseZone, ZONES } from '#src/subscribers/zones.ts';

const daily = (timezone: string, hour: number): Schedule => ({
  timezone,
  hour,
  frequency: 'daily',
  weekdays: 127,
});
const iso = (at: Date) => at.toISOString().slice(0, 16);
const next = (schedule: Schedule, after: string) => iso(nextDigestAt(schedule, new Date(after)));

/** Minutes of the wall clock since 1970-01-01T00:00 at an instant: the only thing the definition needs. */
function wallMinutes(timezone: string, epochMs: number): number {
  const wall = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timezone);
  return Math.floor((epochMs + wall.offsetNanoseconds / 1e6) / 60_000);
}

/** The definition, by search in steps of 15 minutes: the first instant of the date at which the clock reads the hour or later. */
function slotBySearch(timezone: string, hour: number, date: IsoDate): number | null {
  const target = Date.parse(`${date}T00:00Z`) / 60_000 + hour * 60;
  const from = Date.parse(`${date}T00:00Z`) - 15 * 3_600_000;
  let dateExists = false;
  let found: number | null = null;
  for (let at = from; at <= from + 54 * 3_600_000; at += 900_000) {
    const wall = wallMinutes(timezone, at);
    if (Math.floor(wall / 1440) === Math.floor(target / 1440)) dateExists = true;
    if (found === null && wall >= target) found = at;
  }
  return dateExists ? found : null;
}

/** Local dates around the transitions of a zone from 2000 to 2040: where anything can go wrong. */
function datesOfTransitions(timezone: string): IsoDate[] {
  const dates: IsoDate[] = [];
  let at: Temporal.ZonedDateTime | null = Temporal.PlainDate.from('2000-01-01').toZonedDateTime(timezone);
  const end = Temporal.Instant.from('2040-01-01T00:00Z').epochMilliseconds;
  for (;;) {
    at = at.getTimeZoneTransition('next');
    if (!at || at.epochMilliseconds > end) return dates;
    const date = isoDate(at.toPlainDate().toString());
    dates.push(addDays(date, -1), date);
  }
}

describe('slots', () => {
  it('are the first instant at which the wall clock reads the hour, around transitions of every zone', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.nat(),
        fc.integer({ min: 0, max: 23 }),
        fc.nat(3),
        (zone, pick, hour, near) => {
          const dates = datesOfTransitions(zone);
          const date = addDays(dates[pick % dates.length] ?? isoDate('2026-03-29'), near - 1);
          // Most transitions happen between midnight and 3: make half the hours fall there.
          const tested = pick % 2 ? hour % 4 : hour;
          expect([zone, date, tested, slotAt(zone, tested, date)]).toEqual([
            zone,
            date,
            tested,
            slotBySearch(zone, tested, date),
          ]);
        },
      ),
      { numRuns: 250 },
    );
  });

  it('agree with Temporal for every zone and each day of two years wherever no gap is near', () => {
    for (const zone of ZONES) {
      const hour = zone.length % 24;
      for (let i = 0; i < 731; i += 5) {
        const date = addDays(isoDate('2025-01-01'), i);
        const temporal = Temporal.PlainDate.from(date).toPlainDateTime({ hour }).toZonedDateTime(zone);
        if (temporal.hour === hour) expect(slotAt(zone, hour, date)).toBe(temporal.epochMilliseconds);
      }
    }
  });

  it('walk through the years of every zone: one per existing local date, in order, each knowing its date', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 2000, max: 2039 }),
        (zone, hour, year) => {
          const schedule = daily(zone, hour);
          let at = nextDigestAt(schedule, new Date(Date.UTC(year, 0, 1)));
          let date = slotDate(schedule, at);
          for (let i = 0; i < 380; i++) {
            const following = nextDigestAt(schedule, at);
            expect(following.getTime()).toBeGreaterThan(at.getTime());
            let expected = addDays(date, 1);
            if (slotAt(zone, hour, expected) === null) expected = addDays(expected, 1);
            expect(slotDate(schedule, following)).toBe(expected);
            [at, date] = [following, expected];
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the calendar', () => {
  it('takes the end of a gap, and the first of the two hours of a fold', () => {
    expect(next(daily('Europe/Berlin', 2), '2026-03-28T12:00Z')).toBe('2026-03-29T01:00');
    expect(next(daily('Europe/Berlin', 2), '2026-10-24T12:00Z')).toBe('2026-10-25T00:00');
    expect(next(daily('Europe/Berlin', 2), '2026-10-25T00:00Z')).toBe('2026-10-26T01:00');
    expect(next(daily('Australia/Lord_Howe', 2), '2026-10-03T12:00Z')).toBe('2026-10-03T15:30');
    expect(next(daily('Africa/Cairo', 0), '2026-04-23T12:00Z')).toBe('2026-04-23T22:00');
  });

  it('keeps the date of a slot whose gap ends at midnight', () => {
    const nuuk = daily('America/Nuuk', 23);
    const slot = nextDigestAt(nuuk, new Date('2024-03-30T12:00Z'));
    expect([iso(slot), slotDate(nuuk, slot)]).toEqual(['2024-03-31T01:00', '2024-03-30']);
    expect(next(nuuk, '2024-03-31T01:00Z')).toBe('2024-04-01T00:00');
  });

  it('skips a date that a zone left out', () => {
    const apia = daily('Pacific/Apia', 7);
    expect(slotAt('Pacific/Apia', 7, isoDate('2011-12-30'))).toBeNull();
    const after = nextDigestAt(apia, new Date('2011-12-29T17:00Z'));
    expect([iso(after), slotDate(apia, after)]).toEqual(['2011-12-30T17:00', '2011-12-31']);
  });

  it('knows workdays, weekly days and masks', () => {
    const base = { timezone: 'UTC', hour: 7 };
    // 2026-06-05 is a Friday.
    expect(next({ ...base, frequency: 'weekdays', weekdays: 127 }, '2026-06-05T07:00Z')).toBe(
      '2026-06-08T07:00',
    );
    expect(next({ ...base, frequency: 'weekly', weekdays: 127 }, '2026-06-05T07:00Z')).toBe(
      '2026-06-08T07:00',
    );
    expect(next({ ...base, frequency: 'weekly', weekdays: 0b0100100 }, '2026-06-05T07:00Z')).toBe(
      '2026-06-10T07:00',
    );
    expect(next({ ...base, frequency: 'daily', weekdays: 0b1000000 }, '2026-06-05T07:00Z')).toBe(
      '2026-06-07T07:00',
    );
    expect(mailingDays({ frequency: 'weekdays', weekdays: 0b1100000 })).toBe(0b1100000);
  });

  it('finds the first slot on or after a local date, west and east', () => {
    expect(iso(firstSlotFrom(daily('Pacific/Kiritimati', 0), isoDate('2026-06-05')))).toBe(
      '2026-06-04T10:00',
    );
    expect(iso(firstSlotFrom(daily('Pacific/Pago_Pago', 23), isoDate('2026-06-05')))).toBe(
      '2026-06-06T10:00',
    );
    const weekly = { ...daily('UTC', 7), frequency: 'weekly' } as const;
    expect(iso(firstSlotFrom(weekly, isoDate('2026-06-02')))).toBe('2026-06-08T07:00');
  });

  it('is strictly after the instant asked for', () => {
    expect(next(daily('UTC', 7), '2026-06-05T06:59:59.999Z')).toBe('2026-06-05T07:00');
    expect(next(daily('UTC', 7), '2026-06-05T07:00:00.000Z')).toBe('2026-06-06T07:00');
  });
});

describe('zones', () => {
  it('are accepted in any case, with links, and nothing else is', () => {
    expect(parseZone('europe/berlin')).toBe('Europe/Berlin');
    expect(parseZone('Asia/Kolkata')).toBe('Asia/Kolkata');
    expect(parseZone('utc')).toBe('UTC');
    for (const bad of ['', '+01:00', 'Europe/Nowhere', 'x'.repeat(100), '../etc', 'Europe/Berlin\n'])
      expect(parseZone(bad)).toBeNull();
  });
});
