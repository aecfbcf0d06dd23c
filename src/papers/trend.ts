import type { Paper, SignalKind } from './paper.ts';

/** A total as seen at an instant. */
export type Signal = { readonly kind: SignalKind; readonly observedAt: Date; readonly value: number };

/** What the prior reads of a paper. */
export type TrendingPaper = Pick<
  Paper,
  'categories' | 'organisation' | 'codeUrl' | 'projectUrl' | 'publishedAt' | 'firstListedOn'
>;

const DAY = 86_400_000;
/** Days after which an increment counts half. */
const HALF_LIFE = 3;
/** Heat at which the trend is one half: the median of a paper's votes on its first day on the community's list. */
const MEDIAN_VOTES = 6;
/** What one more of each total is worth in votes: starring a repository is cheap, a comment takes longer than a vote. */
const WORTH: Readonly<Record<SignalKind, number>> = {
  upvotes: 1,
  comments: 1.5,
  github_stars: 0.02,
  more: 2,
};
/** Days since the paper appeared after which its first seen total says nothing of today. */
const FRESH_DAYS = 4;

/**
 * How much a paper trends at an instant, in [0, 1).
 *
 * Totals become increments; each is worth {@link WORTH} votes and fades with a half-life of three days. The first total
 * ever seen is an increment only as far as the paper was young then: an old repository's 80,000 stars are no trend of
 * today, the stars it gains are. The prior (see {@link priorVotes}) counts as votes cast when the paper appeared. With
 * h the faded sum, trend = ln(1 + h) / (ln(1 + h) + ln(1 + 6)): 0 for nothing, 0.5 for a median paper of a community's
 * list, 0.7 for a hundred votes. Signals after `at` are ignored; totals that sink (votes withdrawn) count as unchanged.
 * @param signals in any order
 */
export function trend(signals: readonly Signal[], paper: TrendingPaper, at: Date): number {
  const heat = observedHeat(signals, paper, at) + priorVotes(paper) * fade(bornAt(paper) ?? at, at);
  const scaled = Math.log1p(heat);
  return scaled / (scaled + Math.log1p(MEDIAN_VOTES));
}

function observedHeat(signals: readonly Signal[], paper: TrendingPaper, at: Date): number {
  const past = signals.filter(({ observedAt }) => observedAt <= at);
  const byKind = Map.groupBy(past, ({ kind }) => kind);
  return [...byKind].reduce(
    (sum, [kind, series]) => sum + WORTH[kind] * fadedIncrements(series, paper, at),
    0,
  );
}

function fadedIncrements(series: readonly Signal[], paper: TrendingPaper, at: Date): number {
  const ordered = series.toSorted((one, other) => one.observedAt.getTime() - other.observedAt.getTime());
  let highest = 0;
  let heat = 0;
  for (const [index, { value, observedAt }] of ordered.entries()) {
    const gained = Math.max(0, value - highest) * (index === 0 ? youth(paper, observedAt) : 1);
    heat += gained * fade(observedAt, at);
    highest = Math.max(highest, value);
  }
  return heat;
}

/** Half per half-life; 1 for what is to come. */
const fade = (from: Date, at: Date) => 2 ** (-Math.max(0, at.getTime() - from.getTime()) / DAY / HALF_LIFE);

/** When the paper became known: the day it was first listed, else published. */
function bornAt(paper: TrendingPaper): Date | null {
  return paper.firstListedOn ? new Date(`${paper.firstListedOn}T00:00:00Z`) : paper.publishedAt;
}

/** 1 for a paper of at most {@link FRESH_DAYS} days, then falling with the age. */
function youth(paper: TrendingPaper, at: Date): number {
  const born = bornAt(paper);
  const days = born ? (at.getTime() - born.getTime()) / DAY : 0;
  return Math.min(1, FRESH_DAYS / Math.max(days, FRESH_DAYS)) ** 2;
}

/** Votes to expect of a paper of which nothing has been seen: 0.3 to 3. */
export function priorVotes(paper: TrendingPaper): number {
  const bonuses = [
    paper.codeUrl !== null ? 1 : 0,
    paper.projectUrl !== null ? 0.5 : 0,
    paper.organisation !== null ? 0.5 : 0,
    paper.categories.some((category) => /^cs\.(CL|CV|AI|LG)$/.test(category)) ? 0.7 : 0,
  ];
  return bonuses.reduce((sum, bonus) => sum + bonus, 0.3);
}
