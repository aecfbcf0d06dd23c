import { describe, expect, it } from 'vitest';
import { addDays, isoDate } from '#src/database/ids.ts';
import { arxivQuiet, expectedListing, isHoliday } from '#src/papers/schedule.ts';

describe('arXiv’s announcements', () => {
  it('in June 2026 were as recorded: none at week-ends, none on the Monday after Juneteenth', () => {
    const quiet = Array.from({ length: 30 }, (_, n) => addDays(isoDate('2026-06-01'), n)).filter((date) =>
      arxivQuiet(date),
    );
    expect(quiet.map((date) => Number(date.slice(8)))).toEqual([6, 7, 13, 14, 20, 21, 22, 27, 28]);
    expect(arxivQuiet(isoDate('2026-06-22'))).toBe('holiday');
    expect(arxivQuiet(isoDate('2026-06-20'))).toBe('weekend');
  });

  it.each([
    ['2026-11-26', true],
    ['2026-12-29', true],
    ['2026-07-04', false],
    // The lists after Friday 2025-07-04 and Labor Day 2025 were empty.
    ['2025-07-04', true],
    ['2025-09-01', true],
    ['2023-06-14', true],
    ['2023-12-26', false],
    // 2027 is not published yet: by rule, and any day after Christmas may be one.
    ['2027-07-05', true],
    ['2027-01-18', true],
    ['2027-11-25', true],
    ['2027-06-18', true],
    ['2027-06-17', false],
    ['2027-12-28', true],
    ['2025-12-30', true],
    ['2028-01-03', false],
  ])('holiday %s: %s', (date, holiday) => expect(isHoliday(isoDate(date))).toBe(holiday));
});

describe('what should be there by now', () => {
  it.each([
    ['arxiv', '2026-06-02T05:59:00Z', '2026-06-01'],
    ['arxiv', '2026-06-02T06:00:00Z', '2026-06-02'],
    ['arxiv', '2026-06-07T23:00:00Z', '2026-06-05'],
    ['arxiv', '2026-06-22T23:00:00Z', '2026-06-19'],
    ['huggingface', '2026-06-22T12:00:00Z', '2026-06-22'],
    ['huggingface', '2026-06-22T11:00:00Z', '2026-06-19'],
    ['jsonl', '2026-06-22T11:00:00Z', null],
  ])('%s at %s: %s', (source, at, date) => expect(expectedListing(source, new Date(at))).toBe(date));
});
