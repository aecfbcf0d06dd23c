import type { PaperId } from '#src/database/ids.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';
import type { Relevance } from './relevance.ts';
import { type Likeness, likeness, remaining, strongest } from './taste.ts';
import { SOFT_FLOOR, type TopicScores } from './topic-scores.ts';
import { type Choice, isNamed, type MatchingPaper, type Profile, type Reason } from './types.ts';

/** A paper that readers marked, and how candidates fit it. */
export type Example = {
  readonly relevance: Relevance;
  readonly title: string;
  /** Terms that a candidate shares with it, as the candidate spells them. */
  terms(position: number): readonly string[];
};

/** What choosing needs of the candidates; positions are those of `papers`. */
export type Candidates = {
  /** Sorted by identity. */
  readonly papers: readonly MatchingPaper[];
  /** Positions by falling trend. */
  readonly byTrend: readonly number[];
  topic(topic: TopicRef): TopicScores;
  /** A known paper, which may be no candidate; undefined when it is not known. */
  example(paper: PaperId): Example | undefined;
  /** Candidates that resemble one, with their cosine in (0, 1]. */
  neighbours(position: number): ReadonlyMap<number, number>;
  /** Equal for papers with the same title under two identities. */
  titleKey(position: number): string;
  /** A number per candidate, lent to one reader at a time. */
  readonly scratch: Float64Array;
};

/** The candidates as one reader sees them; valid until the next reader is scored. */
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

/** Papers of one topic that are looked at for one reader, those already sent not counted: so many per place in the digest, and more. */
const DEPTH_PER_PLACE = 6;
const DEPTH = 20;
/** From here on the dial lets papers in that match nothing which is followed. */
const OPEN_DIAL = 0.5;
/** A muted phrase or example bars what is clearly about it. */
export const MUTE_FLOOR = 0.8;

/** A follow with its topic's papers, as far as they were looked at. */
type Tie = { readonly topic: TopicScores; readonly weight: number; read: number };

/** A reader's profile, made ready. */
type Reader = {
  readonly dial: number;
  readonly ties: readonly Tie[];
  readonly likes: Likeness | undefined;
  readonly dislikes: Likeness | undefined;
  readonly trendWeight: number;
};

/** Scores the candidates for one reader: `(1 − dial) × taste + dial × trend`, less what resembles dislikes. */
export function scoreCandidates(
  candidates: Candidates,
  profile: Profile,
  exclude: ReadonlySet<PaperId>,
): Scored {
  const { papers, scratch } = candidates;
  const trendMuted = profile.mutes.some(({ kind }) => kind === 'trending');
  const reader = readerOf(candidates, profile, trendMuted);
  const barred = barredBy(candidates, profile);
  const isBarred = (at: number): boolean => barred.has(at) || exclude.has((papers[at] as MatchingPaper).id);

  const depth = DEPTH + DEPTH_PER_PLACE * profile.limit;
  scratch.fill(Number.NaN);
  const eligible: number[] = [];
  const admit = (at: number): void => {
    if (!Number.isNaN(scratch[at])) return;
    scratch[at] = 0;
    eligible.push(at);
  };
  const byFollow = reader.ties
    .map((tie) => gather(tie, depth, isBarred, admit, scratch))
    .filter((positions) => positions.length > 0);
  if (reader.likes) gatherLikes(reader.likes, isBarred, admit, papers.length);
  if (!trendMuted && (reader.trendWeight > 0 || reader.dial >= OPEN_DIAL))
    for (const at of candidates.byTrend.slice(0, depth))
      if (trendOf(candidates, at) > 0 && !isBarred(at)) admit(at);
  for (const at of eligible) scratch[at] = finalScore(candidates, reader, at, scratch[at] as number);
  return {
    eligible,
    byFollow,
    trendMuted,
    dial: reader.dial,
    isBarred,
    score: (at) => scratch[at] as number,
    choice(at) {
      const reasons = reasonsOf(candidates, reader, at);
      const score = reasons.reduce((sum, { weight }) => sum + weight, 0);
      return { paper: (papers[at] as MatchingPaper).id, score, reasons };
    },
  };
}

const trendOf = (candidates: Candidates, at: number): number =>
  (candidates.papers[at] as MatchingPaper).trend;

function readerOf(candidates: Candidates, profile: Profile, trendMuted: boolean): Reader {
  const size = candidates.papers.length;
  const relevanceOf = (paper: PaperId): Relevance | undefined => candidates.example(paper)?.relevance;
  return {
    dial: trendMuted ? 0 : Math.min(100, Math.max(0, profile.dial)) / 100,
    ties: tiesOf(candidates, profile.follows),
    likes: likeness(profile.likes, size, relevanceOf),
    dislikes: likeness(profile.dislikes, size, relevanceOf),
    trendWeight: profile.follows.some(({ kind, weight }) => kind === 'trending' && weight > 0) ? 1 : 0,
  };
}

/** Follows with their topics' scores; weights are relative to the reader's mean, so that all-10 is all-1. Heaviest first. */
function tiesOf(candidates: Candidates, follows: readonly Follow[]): Tie[] {
  const own = follows.filter(({ kind, weight }) => kind !== 'trending' && weight > 0);
  const mean = own.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, own.length);
  return own
    .map((follow) => ({ topic: candidates.topic(follow), weight: follow.weight / mean, read: 0 }))
    .toSorted(
      (a, b) => b.weight - a.weight || best(b.topic) - best(a.topic) || compare(a.topic.topic, b.topic.topic),
    );
}

const best = ({ scores }: TopicScores): number => scores[0] ?? 0;
const compare = (a: TopicRef, b: TopicRef): number => {
  const [left, right] = [`${a.kind}:${a.value}`, `${b.kind}:${b.value}`];
  return left < right ? -1 : left > right ? 1 : 0;
};

function barredBy(candidates: Candidates, { mutes }: Profile): Set<number> {
  const barred = new Set<number>();
  for (const mute of mutes) {
    const { papers, scores } = candidates.topic(mute);
    const soft = mute.kind === 'paper' || mute.kind === 'query';
    papers.forEach((at, rank) => {
      if (!soft || (scores[rank] as number) >= MUTE_FLOOR) barred.add(at);
    });
    if (mute.kind === 'paper')
      candidates.papers.forEach((paper, at) => isNamed(paper, mute.value) && barred.add(at));
  }
  return barred;
}

/** Adds a topic's papers to the scores, best first, and remembers how far it read. */
function gather(
  tie: Tie,
  depth: number,
  isBarred: (at: number) => boolean,
  admit: (at: number) => void,
  scores: Float64Array,
): number[] {
  const { topic, weight } = tie;
  const positions: number[] = [];
  for (; tie.read < topic.papers.length && positions.length < depth; tie.read += 1) {
    const at = topic.papers[tie.read] as number;
    if (isBarred(at)) continue;
    admit(at);
    positions.push(at);
    scores[at] = (scores[at] as number) + weight * (topic.scores[tie.read] as number);
  }
  return positions;
}

function gatherLikes(
  likes: Likeness,
  isBarred: (at: number) => boolean,
  admit: (at: number) => void,
  size: number,
): void {
  for (let at = 0; at < size; at += 1)
    if ((likes.scores[at] as number) >= SOFT_FLOOR && !isBarred(at)) admit(at);
}

function finalScore(candidates: Candidates, reader: Reader, at: number, followed: number): number {
  const { dial, likes, dislikes, trendWeight } = reader;
  const trend = trendOf(candidates, at);
  const taste = followed + (likes ? likes.share * (likes.scores[at] as number) : 0) + trendWeight * trend;
  return ((1 - dial) * taste + dial * trend) * remaining(dislikes, at);
}

/** The summands of {@link finalScore}, greatest first. */
function reasonsOf(candidates: Candidates, reader: Reader, at: number): Reason[] {
  const { dial, likes, dislikes, trendWeight } = reader;
  const factor = remaining(dislikes, at);
  const taste = (1 - dial) * factor;
  const reasons: Reason[] = [];
  for (const { topic, weight, read } of reader.ties) {
    const rank = topic.papers.indexOf(at);
    if (rank < 0 || rank >= read) continue;
    const share = taste * weight * (topic.scores[rank] as number);
    reasons.push({
      type: 'follow',
      topic: topic.topic,
      name: topic.name,
      terms: topic.terms(at),
      weight: share,
    });
  }
  const liked = likes ? taste * likes.share * (likes.scores[at] as number) : 0;
  if (likes && liked !== 0) {
    const { paper } = strongest(likes, at);
    const example = candidates.example(paper);
    const [title, terms] = [example?.title ?? '', example?.terms(at) ?? []];
    reasons.push({ type: 'liked', paper, title, terms, weight: liked });
  }
  const trend = trendOf(candidates, at) * (factor * dial + taste * trendWeight);
  if (trend !== 0) reasons.push({ type: 'trending', weight: trend, fill: false });
  return reasons.sort((a, b) => b.weight - a.weight);
}
