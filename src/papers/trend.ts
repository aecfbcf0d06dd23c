import type { Paper, SignalKind } from './paper.ts';
import { type PriorPaper, priorOf } from './prior.ts';

/** A total as seen at an instant. */
export type Signal = { readonly kind: SignalKind; readonly observedAt: Date; readonly value: number };

/** What the trend reads of a paper. */
export type TrendingPaper = PriorPaper & Pick<Paper, 'publishedAt' | 'firstListedOn'>;

const DAY = 86_400_000;
/** Days after which an increment counts half. */
const HALF_LIFE = 3;
/** How much of a Saturday or Sunday counts as time passing: lists are empty and few vote. */
const WEEKEND_PACE = 0.25;
/** Heat at which the trend is one half: the median of a paper's votes on its first day on the community's list. */
const MEDIAN_VOTES = 6;
/** The mean of the same: what a paper brings that is sure to be listed. */
const MEAN_VOTES = 10;
/** Papers of a known organisation, with code, or with a project page have so many times the votes of others, each. */
const KNOWN_FOR = 1.4;
/** What one more of each total is worth in votes: starring a repository is cheap, a comment takes longer than a vote. */
const WORTH: Readonly<Record<SignalKind, number>> = {
  upvotes: 1,
  comments: 1.5,
  github_stars: 0.02,
  more: 2,
};
/** Days since the paper appeared after which its first seen total says less and less of today. */
const FRESH_DAYS = 14;
/** Stars of a repository at first sight that count: it may be far older than the paper. */
const FIRST_STARS = 100;
/** Growth of a repository that is worth its full number of stars; below, it is what such a repository gains anyway. */
const STARS_GROWTH = 0.05;

/**
 * How much a paper trends at an instant, in [0, 1).
 *
 * Totals become increments; each is worth {@link WORTH} votes and fades with a half-life of three days, in which a
 * week-end day counts a quarter, so that Friday's papers are not old on Monday. The first total ever seen is an increment only
 * as far as the paper was young then (all of it up to {@link FRESH_DAYS} days, then falling with the age). An old repository's
 * 80,000 stars are no trend of today: at first sight at most {@link FIRST_STARS} count, and what it gains counts in full only
 * where it is {@link STARS_GROWTH} of what it had.
 * Readers' own votes ("more") are counted by Paperboy from the first one, so their first total is all increment. The
 * prior (see {@link priorVotes}) counts as votes cast when the paper appeared. With h the faded sum,
 * trend = ln(1 + h) / (ln(1 + h) + ln(1 + 6)): 0 for nothing, 0.5 for a median paper of a community's list, 0.7 for a
 * hundred votes. Signals after `at` are ignored; totals that sink (votes withdrawn) count as unchanged.
 * @param signals in any order
 */
export function trend(signals: readonly Signal[], paper: TrendingPaper, at: Date): number {
  const heat = observedHeat(signals, paper, at) + priorVotes(paper) * fade(bornAt(paper) ?? at, at);
  const scaled = Math.log1p(heat);
  return scaled / (scaled + Math.log1p(MEDIAN_VOTES));
}

/** Votes to expect of a paper of which nothing has been seen: never 0, about 0.5 for any, 10 and more for the promising. */
export function priorVotes(paper: TrendingPaper): number {
  const known = [paper.organisation, paper.codeUrl, paper.projectUrl].filter((fact) => fact !== null).length;
  return MEAN_VOTES * priorOf(paper) * KNOWN_FOR ** known;
}

function observedHeat(signals: readonly Signal[], paper: TrendingPaper, at: Date): number {
  const past = signals.filter(({ observedAt }) => observedAt <= at);
  const byKind = Map.groupBy(past, ({ kind }) => kind);
  return [...byKind].reduce(
    (sum, [kind, series]) => sum + WORTH[kind] * fadedIncrements(kind, series, paper, at),
    0,
  );
}

function fadedIncrements(
  kind: SignalKind,
  series: readonly Signal[],
  paper: TrendingPaper,
  at: Date,
): number {
  const ordered = series.toSorted((one, other) => one.observedAt.getTime() - other.observedAt.getTime());
  let highest = 0;
  let heat = 0;
  for (const [index, { value, observedAt }] of ordered.entries()) {
    const gained = Math.max(0, value - highest);
    heat +=
      fade(observedAt, at) *
      (index === 0 ? firstTotal(kind, gained, paper, observedAt) : laterGain(kind, gained, highest));
    highest = Math.max(highest, value);
  }
  return heat;
}

function firstTotal(kind: SignalKind, total: number, paper: TrendingPaper, at: Date): number {
  if (kind === 'more') return total;
  return youth(paper, at) * (kind === 'github_stars' ? Math.min(FIRST_STARS, total) : total);
}

function laterGain(kind: SignalKind, gained: number, before: number): number {
  if (kind !== 'github_stars' || before === 0) return gained;
  return gained * Math.min(1, gained / before / STARS_GROWTH);
}

/** Half per half-life; 1 for what is to come. */
const fade = (from: Date, at: Date) => 2 ** (-daysBetween(from, at) / HALF_LIFE);

/** Days from one instant to a later one, week-ends (UTC) slowed down; 0 when it is not later. */
function daysBetween(from: Date, at: Date): number {
  const [start, end] = [from.getTime(), Math.max(from.getTime(), at.getTime())];
  return (end - start - (1 - WEEKEND_PACE) * (weekendMs(end) - weekendMs(start))) / DAY;
}

/** Milliseconds of Saturdays and Sundays since 1970, which began on a Thursday. */
function weekendMs(time: number): number {
  const weeks = Math.floor(time / (7 * DAY));
  const within = time - weeks * 7 * DAY;
  return weeks * 2 * DAY + Math.min(2 * DAY, Math.max(0, within - 2 * DAY));
}

/** When the paper became known: the day it was first listed, else published. */
function bornAt(paper: TrendingPaper): Date | null {
  return paper.firstListedOn ? new Date(`${paper.firstListedOn}T00:00:00Z`) : paper.publishedAt;
}

/** 1 for a paper of at most {@link FRESH_DAYS} days, then falling with the age, since publication or the first listing. */
function youth(paper: TrendingPaper, at: Date): number {
  const born = earlier(bornAt(paper), paper.publishedAt);
  const days = born ? daysBetween(born, at) : 0;
  return FRESH_DAYS / Math.max(days, FRESH_DAYS);
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
