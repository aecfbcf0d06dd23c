import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { type Signal, type TrendingPaper, trend } from '#src/papers/trend.ts';

const at = new Date('2026-06-10T12:00:00Z');
const daysAgo = (days: number) => new Date(at.getTime() - days * 86_400_000);
const listed = (days: number): TrendingPaper => ({
  title: 'A Title',
  abstract: 'We study things.',
  authors: ['A. One'],
  categories: ['cs.CL'],
  organisation: null,
  codeUrl: null,
  projectUrl: null,
  publishedAt: null,
  firstListedOn: isoDate(daysAgo(days).toISOString().slice(0, 10)),
});
const upvotes = (value: number, days: number): Signal => ({
  kind: 'upvotes',
  value,
  observedAt: daysAgo(days),
});
const stars = (value: number, days: number): Signal => ({
  kind: 'github_stars',
  value,
  observedAt: daysAgo(days),
});

describe('trend', () => {
  it('is bounded whatever the signals', () => {
    const signal = fc.record({
      kind: fc.constantFrom('upvotes', 'comments', 'github_stars', 'more'),
      value: fc.nat(2 ** 31 - 1),
      observedAt: fc.date({ noInvalidDate: true, min: new Date('2020-01-01'), max: new Date('2030-01-01') }),
    });
    fc.assert(
      fc.property(fc.array(signal), fc.nat(3000), (signals, age) => {
        const value = trend(signals as Signal[], listed(age), at);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
      }),
    );
  });

  it('does not depend on the order of the signals', () => {
    const series = [upvotes(3, 2), upvotes(9, 1), stars(50, 1)];
    expect(trend(series.toReversed(), listed(2), at)).toBe(trend(series, listed(2), at));
  });

  it('takes no notice of what is not seen yet', () => {
    const later = { ...upvotes(500, 0), observedAt: new Date(at.getTime() + 1) };
    expect(trend([later], listed(1), at)).toBe(trend([], listed(1), at));
  });

  it('does not take an old repository for a trend of today', () => {
    const median = trend([upvotes(6, 0)], listed(0), at);
    expect(trend([stars(80_000, 0)], listed(900), at)).toBeLessThan(median);
    // Neither behind a paper of today, nor for the two hundred stars it gains every day.
    expect(trend([stars(80_000, 0)], listed(0), at)).toBeLessThan(median);
    const daily = Array.from({ length: 10 }, (_, days) => stars(80_000 - 200 * days, days));
    expect(trend(daily, listed(10), at)).toBeLessThan(median);
    expect(trend([stars(20, 2), stars(900, 0)], listed(2), at)).toBeGreaterThan(median);
  });

  it('does not take votes of long ago for votes of today', () => {
    expect(trend([upvotes(300, 0)], listed(900), at)).toBeLessThan(trend([upvotes(10, 0)], listed(0), at));
  });

  it('counts readers’ own votes from the first', () => {
    const votes: Signal = { kind: 'more', value: 5, observedAt: at };
    expect(trend([votes], listed(200), at)).toBeGreaterThan(trend([upvotes(5, 0)], listed(200), at));
  });

  it('does not let a week-end make a paper old', () => {
    const friday: TrendingPaper = { ...listed(0), firstListedOn: isoDate('2026-06-05') };
    const first: Signal = { kind: 'upvotes', value: 20, observedAt: new Date('2026-06-05T12:00:00Z') };
    const on = (date: string) => trend([first], friday, new Date(`${date}T12:00:00Z`));
    const lost = (from: string, to: string) => on(from) - on(to);
    expect(lost('2026-06-05', '2026-06-08')).toBeLessThan(lost('2026-06-08', '2026-06-10'));
  });

  it('sees a burst of votes on a paper of five days', () => {
    const burst = trend([upvotes(5, 5), upvotes(6, 1), upvotes(90, 0)], listed(5), at);
    expect(burst).toBeGreaterThan(trend([upvotes(30, 5), upvotes(31, 0)], listed(5), at));
    expect(burst).toBeGreaterThan(trend([upvotes(20, 0)], listed(0), at));
  });

  it('has a prior that knows what a community likes', () => {
    const liked = {
      ...listed(0),
      title: 'AgentBench: Benchmarking Multimodal LLM Agents',
      abstract: 'We introduce a benchmark of reasoning agents. Code: https://github.com/x/y',
    };
    const other = {
      ...listed(0),
      title: 'On the Capacity of a Gaussian Channel',
      abstract: 'We derive bounds.',
      categories: ['cs.IT'],
    };
    expect(trend([], liked, at)).toBeGreaterThan(trend([], other, at));
    expect(trend([], other, at)).toBeGreaterThan(0);
  });

  it('is never nothing for a new paper without votes, and more with what speaks for it', () => {
    const plain = trend([], listed(0), at);
    expect(plain).toBeGreaterThan(0);
    expect(
      trend([], { ...listed(0), codeUrl: 'https://example.org', organisation: 'Lab' }, at),
    ).toBeGreaterThan(plain);
  });

  it('grows with every vote and fades with time', () => {
    expect(trend([upvotes(8, 0)], listed(0), at)).toBeGreaterThan(trend([upvotes(7, 0)], listed(0), at));
    expect(trend([upvotes(8, 0)], listed(0), at)).toBeGreaterThan(trend([upvotes(8, 4)], listed(4), at));
  });
});
