import type { PaperId } from '#src/database/ids.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';
import type { Candidates } from './candidates.ts';
import type { Relevance } from './relevance-parts.ts';
import { type Likeness, likeness } from './taste.ts';
import type { TopicScores } from './topic-scores.ts';
import type { Profile } from './types.ts';

/** A follow with its topic's papers, as far as they were looked at. */
export type Tie = { readonly topic: TopicScores; readonly weight: number; read: number };

/** A reader's profile, made ready. */
export type Reader = {
  /** From 0 (taste) to 1 (trend). */
  readonly dial: number;
  readonly ties: readonly Tie[];
  readonly likes: Likeness | undefined;
  readonly dislikes: Likeness | undefined;
  /** What trend adds to taste: 1 for who follows what trends, else 0. */
  readonly trendWeight: number;
};

/** The trend of a candidate. */
export const trendOf = ({ trends }: Candidates, at: number): number => trends[at] as number;

/** Makes a profile ready. */
export function readerOf(candidates: Candidates, profile: Profile, trendMuted: boolean): Reader {
  const { desk } = candidates;
  const relevanceOf = (paper: PaperId): Relevance | undefined => candidates.example(paper)?.relevance;
  return {
    dial: trendMuted ? 0 : Math.min(100, Math.max(0, profile.dial)) / 100,
    ties: tiesOf(candidates, profile.follows),
    likes: likeness(profile.likes, desk, desk.likes, relevanceOf),
    dislikes: likeness(profile.dislikes, desk, desk.dislikes, relevanceOf),
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
