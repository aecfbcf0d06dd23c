import { describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { type Coverage, coverageOf, coverageView, type DayCounts, latestSlot } from '#src/papers/coverage.ts';

const on = isoDate('2026-06-16');
const at = (hour: string) => new Date(`2026-06-16T${hour}:00Z`);
const day = (date: string, fresh: number, more: Partial<DayCounts> = {}): DayCounts => ({
  section: 'cs.AI',
  listedOn: isoDate(date),
  received: fresh,
  fresh,
  crossed: 0,
  replaced: 0,
  repeated: 0,
  ...more,
});
const usual = [
  day('2026-06-10', 90),
  day('2026-06-11', 110),
  day('2026-06-12', 100),
  day('2026-06-14', 0, { received: 100, repeated: 100 }),
];
const state = (today: DayCounts[], hour = '12:00') =>
  coverageOf('arxiv', 'cs.AI', on, [...usual, ...today], at(hour));

describe('a category on a day', () => {
  it('is complete when about as much came as usual', () => {
    expect(state([day('2026-06-16', 60)])).toMatchObject({ state: 'complete', expected: 100, fresh: 60 });
  });
  it('is late when nothing, hardly anything, or only what was there before came, once it is due', () => {
    expect(state([])).toMatchObject({ state: 'late', received: 0 });
    expect(state([day('2026-06-16', 9)])).toMatchObject({ state: 'late' });
    expect(state([day('2026-06-16', 0, { received: 100, repeated: 100 })])).toMatchObject({
      state: 'late',
      repeated: 100,
    });
    expect(state([], '05:59')).toMatchObject({ state: 'waiting' });
  });
  it('is quiet at the week-end, whatever is repeated', () => {
    const saturday = isoDate('2026-06-13');
    expect(
      coverageOf(
        'arxiv',
        'cs.AI',
        saturday,
        [...usual, day('2026-06-13', 0, { received: 90, repeated: 90 })],
        at('12:00'),
      ),
    ).toMatchObject({ state: 'quiet', quiet: 'weekend', expected: 0 });
  });
  it('is not judged by a day or two', () => {
    const young = (today: DayCounts[]) =>
      coverageOf(
        'arxiv',
        'cs.AI',
        on,
        [day('2026-06-11', 110), day('2026-06-12', 100), ...today],
        at('12:00'),
      );
    expect(young([day('2026-06-16', 9)])).toMatchObject({ state: 'complete', expected: 100 });
    expect(young([])).toMatchObject({ state: 'late' });
  });
  it('may be empty where papers are rare', () => {
    const rare = [day('2026-06-10', 0), day('2026-06-11', 1), day('2026-06-12', 0)];
    expect(coverageOf('arxiv', 'cs.AI', on, rare, at('12:00'))).toMatchObject({ state: 'complete' });
  });
});

describe('an edition with a late source', () => {
  const late: Coverage = { ...state([]), section: 'cs.CL' };
  const there = state([day('2026-06-16', 428, { crossed: 12 })]);
  it('waits as long as patience goes, then goes out marked', () => {
    expect(latestSlot([there], at('07:30'), 3_600_000)).toEqual(at('07:30'));
    expect(latestSlot([there, late], at('07:30'), 3_600_000)).toEqual(at('06:30'));
    expect(latestSlot([there, { ...late, state: 'waiting' }], at('03:00'), 3_600_000)).toEqual(at('03:00'));
  });
  it('says so', () => {
    expect(coverageView([there, late, { ...late, state: 'quiet', quiet: 'weekend' }])).toEqual({
      fresh: [{ name: 'cs.AI', count: 428 }],
      late: ['cs.CL'],
      quiet: [{ name: 'arXiv', why: 'weekend' }],
    });
  });
  it('sums up many categories and names the late ones; a source that is late as a whole is named once', () => {
    const of = (section: string, base: Coverage): Coverage => ({ ...base, section });
    const many = ['cs.AI', 'cs.CV', 'cs.LG', 'cs.RO'];
    expect(coverageView([...many.map((name) => of(name, there)), late])).toEqual({
      fresh: [{ name: 'arXiv', count: 4 * 428 }],
      late: ['cs.CL'],
      quiet: [],
    });
    expect(coverageView(many.map((name) => of(name, late))).late).toEqual(['arXiv']);
  });
});
