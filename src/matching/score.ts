import type { PaperId } from '#src/database/ids.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';
import type { Relevance } from './relevance.ts';
import { type Likeness, likeness, remaining, strongest } from './taste.ts';
import { SOFT_FLOOR, type TopicScores } from './topic-scores.ts';
import type { Choice, MatchingPaper, Profile, Reason } from './types.ts';

/** What choosing needs of the candidates; positions are those of `papers`. */
export type Candidates = {
  /** Sorted by identity. */
  readonly papers: readonly MatchingPaper[];
  /** Positions by falling trend. */
  readonly byTrend: readonly number[];
  topic(topic: TopicRef): TopicScores;
  /** Relevance to a known paper, which may be no candidate; undefined when it is not known. */
  example(paper: PaperId): Relevance | undefined;
  title(paper: PaperId): string;
  /** Candidates that resemble one, with their cosine in (0, 1]. */
  neighbours(position: number): ReadonlyMap<number, number>;
  /** Equal for papers with the same title under two identities. */
  titleKey(position: number): string;
  /** Terms that a candidate shares with an example, as it spells them. */
  sharedTerms(position: number, example: Relevance): readonly string[];
};

/** The candidates as one reader sees them. */
export type Scored = {
  /** Positions that may be chosen, in no order. */
  readonly eligible: readonly number[];
  /** For each follow that has something, heaviest first: its eligible positions. */
  readonly byFollow: readonly (readonly number[])[];
  readonly trendMuted: boolean;
  /** The reader's dial from 0 (taste) to 1 (trend). */
  readonly dial: number;
  score(position: number): number;
  /** Sent before or muted. */
  isBarred(position: number): boolean;
  choice(position: number): Choice;
};

/** Papers of one topic that are looked at for one reader: enough for fifty a day and a year of exclusions. */
const DEPTH = 300;
/** From here on the dial lets papers in that match nothing which is followed. */
const OPEN_DIAL = 50;
/** A muted phrase or example bars what is clearly about it. */
const MUTE_FLOOR = 0.8;

type Tie = { readonly follow: Follow; readonly topic: TopicScores; readonly weight: number };

/** Scores the candidates for one reader: `(1 − dial) × taste + dial × trend`, less what resembles dislikes. */
export function scoreCandidates(
  candidates: Candidates,
  profile: Profile,
  exclude: ReadonlySet<PaperId>,
): Scored {
  const { papers } = candidates;
  const trendMuted = profile.mutes.some(({ kind }) => kind === 'trending');
  const dial = trendMuted ? 0 : Math.min(100, Math.max(0, profile.dial)) / 100;
  const ties = tiesOf(candidates, profile.follows);
  const likes = likeness(profile.likes, papers.length, (paper) => candidates.example(paper));
  const dislikes = likeness(profile.dislikes, papers.length, (paper) => candidates.example(paper));
  const barred = barredBy(candidates, profile);
  const isBarred = (at: number): boolean => barred.has(at) || exclude.has((papers[at] as MatchingPaper).id);

  const matches = new Map<number, Match[]>();
  const byFollow = ties
    .map((tie) => gather(tie, matches, isBarred))
    .filter((positions) => positions.length > 0);
  if (likes) gatherLikes(likes, matches, isBarred, papers.length);
  const trendWeight = trendFollow(profile.follows);
  if (!trendMuted && (trendWeight > 0 || dial * 100 >= OPEN_DIAL))
    gatherTrending(candidates, matches, isBarred);

  const reasons = (at: number): Reason[] =>
    reasonsOf(candidates, at, matches.get(at) ?? [], {
      dial,
      likes,
      trendWeight,
      factor: remaining(dislikes, at),
    });
  const scores = new Map<number, number>();
  for (const [at, found] of matches) {
    let taste = likes ? likes.share * (likes.scores[at] as number) : 0;
    for (const { tie, score } of found) taste += tie.weight * score;
    const trend = (papers[at] as MatchingPaper).trend;
    scores.set(at, ((1 - dial) * (taste + trendWeight * trend) + dial * trend) * remaining(dislikes, at));
  }
  return {
    eligible: [...scores.keys()],
    byFollow,
    trendMuted,
    dial,
    isBarred,
    score: (at) => scores.get(at) ?? 0,
    choice(at) {
      const list = reasons(at);
      return {
        paper: (papers[at] as MatchingPaper).id,
        score: list.reduce((sum, { weight }) => sum + weight, 0),
        reasons: list,
      };
    },
  };
}

type Match = { readonly tie: Tie; readonly score: number };

/** Follows with their topics' scores; weights are relative to the reader's mean, so that all-10 is all-1. Heaviest first. */
function tiesOf(candidates: Candidates, follows: readonly Follow[]): Tie[] {
  const own = follows.filter(({ kind, weight }) => kind !== 'trending' && weight > 0);
  const mean = own.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, own.length);
  return own
    .map((follow) => ({ follow, topic: candidates.topic(follow), weight: follow.weight / mean }))
    .toSorted((a, b) => b.weight - a.weight || best(b.topic) - best(a.topic) || compare(a.follow, b.follow));
}

const best = ({ scores }: TopicScores): number => scores[0] ?? 0;
const compare = (a: TopicRef, b: TopicRef): number => {
  const [left, right] = [`${a.kind}:${a.value}`, `${b.kind}:${b.value}`];
  return left < right ? -1 : left > right ? 1 : 0;
};

function trendFollow(follows: readonly Follow[]): number {
  return follows.some(({ kind, weight }) => kind === 'trending' && weight > 0) ? 1 : 0;
}

function barredBy(candidates: Candidates, { mutes }: Profile): Set<number> {
  const barred = new Set<number>();
  for (const mute of mutes) {
    const { papers, scores } = candidates.topic(mute);
    const soft = mute.kind === 'paper' || mute.kind === 'query';
    papers.forEach((at, rank) => {
      if (!soft || (scores[rank] as number) >= MUTE_FLOOR) barred.add(at);
    });
    if (mute.kind === 'paper')
      candidates.papers.forEach(({ identity }, at) => identity === mute.value && barred.add(at));
  }
  return barred;
}

function gather(tie: Tie, matches: Map<number, Match[]>, isBarred: (at: number) => boolean): number[] {
  const { papers, scores } = tie.topic;
  const positions: number[] = [];
  for (let rank = 0; rank < papers.length && positions.length < DEPTH; rank += 1) {
    const at = papers[rank] as number;
    if (isBarred(at)) continue;
    positions.push(at);
    const match = { tie, score: scores[rank] as number };
    const others = matches.get(at);
    if (others) others.push(match);
    else matches.set(at, [match]);
  }
  return positions;
}

function gatherLikes(
  likes: Likeness,
  matches: Map<number, Match[]>,
  isBarred: (at: number) => boolean,
  size: number,
): void {
  for (let at = 0; at < size; at += 1)
    if ((likes.scores[at] as number) >= SOFT_FLOOR && !matches.has(at) && !isBarred(at)) matches.set(at, []);
}

function gatherTrending(
  candidates: Candidates,
  matches: Map<number, Match[]>,
  isBarred: (at: number) => boolean,
): void {
  for (const at of candidates.byTrend.slice(0, DEPTH))
    if ((candidates.papers[at]?.trend ?? 0) > 0 && !matches.has(at) && !isBarred(at)) matches.set(at, []);
}

type Weights = {
  readonly dial: number;
  readonly likes: Likeness | undefined;
  readonly trendWeight: number;
  readonly factor: number;
};

function reasonsOf(
  candidates: Candidates,
  at: number,
  matches: readonly Match[],
  weights: Weights,
): Reason[] {
  const { dial, likes, trendWeight, factor } = weights;
  const taste = (1 - dial) * factor;
  const reasons: Reason[] = matches.map(({ tie, score }) => ({
    type: 'follow',
    topic: { kind: tie.follow.kind, value: tie.follow.value },
    name: tie.topic.name,
    terms: tie.topic.terms(at),
    weight: taste * tie.weight * score,
  }));
  const liked = likes ? taste * likes.share * (likes.scores[at] as number) : 0;
  if (likes && liked !== 0) {
    const { paper, relevance } = strongest(likes, at);
    const terms = candidates.sharedTerms(at, relevance);
    reasons.push({ type: 'liked', paper, title: candidates.title(paper), terms, weight: liked });
  }
  const trend = (candidates.papers[at] as MatchingPaper).trend * (factor * dial + taste * trendWeight);
  if (trend !== 0) reasons.push({ type: 'trending', weight: trend, fill: false });
  return reasons.toSorted((a, b) => b.weight - a.weight);
}
