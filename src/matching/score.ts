import type { PaperId } from '#src/database/ids.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';
import type { Relevance } from './relevance.ts';
import { type Likeness, likeness, remaining, strongest, type TasteDesk } from './taste.ts';
import { SOFT_FLOOR, type TopicScores } from './topic-scores.ts';
import { type Choice, isNamed, type MatchingPaper, type Profile, type Reason } from './types.ts';
import type { WeightedSums } from './weighted-sums.ts';

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
  /** Trend of each. */
  readonly trends: Float64Array;
  /** Positions by falling trend. */
  readonly byTrend: readonly number[];
  topic(topic: TopicRef): TopicScores;
  /** A known paper, which may be no candidate; undefined when it is not known. */
  example(paper: PaperId): Example | undefined;
  /** Where a paper stands in `papers`; undefined when it is no candidate. */
  position(paper: PaperId): number | undefined;
  neighbours(position: number): Neighbours;
  /** Positions of papers with its title under another identity, and its own; empty when there is no other. */
  twins(position: number): readonly number[];
  /** Lent to one reader at a time. */
  readonly desk: Desk;
};

/** Candidates that resemble one, with their cosines in (0, 1]. */
export type Neighbours = { readonly positions: Int32Array; readonly cosines: Float64Array };

/** A number per candidate for each thing that is reckoned for a reader. */
export type Desk = TasteDesk & {
  /** Of what is eligible; NaN for all else. */
  readonly scores: Float64Array;
  /** Positions that are eligible: the first so many. */
  readonly eligible: Int32Array;
  readonly likes: Float32Array;
  readonly dislikes: Float32Array;
  /** 1 = sent before or muted. */
  readonly barred: Uint8Array;
  /** Greatest resemblance to a paper already chosen. */
  readonly resemblance: Float64Array;
  /** Where a paper stands in the choice, from 1; 0 = not chosen. */
  readonly place: Uint16Array;
  /** What is left of the score beside the papers already chosen. */
  readonly worth: Float64Array;
};

/** A desk for so many candidates. */
export const createDesk = (candidates: number, sums: WeightedSums): Desk => ({
  sums,
  background: sums.lend(),
  likes: sums.lend(),
  dislikes: sums.lend(),
  scores: new Float64Array(candidates),
  eligible: new Int32Array(candidates),
  barred: new Uint8Array(candidates),
  resemblance: new Float64Array(candidates),
  place: new Uint16Array(candidates),
  worth: new Float64Array(candidates),
});

/** The candidates as one reader sees them; valid until the next reader is scored. */
export type Scored = {
  /** Positions that may be chosen, in no order. */
  readonly eligible: Int32Array;
  /** For each follow, heaviest first: its topic's positions as far as they were looked at; what is barred is not eligible. */
  readonly byFollow: readonly Int32Array[];
  readonly trendMuted: boolean;
  /** The reader's dial from 0 (taste) to 1 (trend). */
  readonly dial: number;
  score(position: number): number;
  /** Sent before or muted. */
  isBarred(position: number): boolean;
  /** Choices at some positions, in their order. */
  choices(positions: readonly number[]): Choice[];
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
  const { papers, desk } = candidates;
  const { scores, barred } = desk;
  const trendMuted = profile.mutes.some(({ kind }) => kind === 'trending');
  const reader = readerOf(candidates, profile, trendMuted);
  bar(candidates, profile, exclude);

  const depth = DEPTH + DEPTH_PER_PLACE * profile.limit;
  scores.fill(Number.NaN);
  let count = 0;
  for (const tie of reader.ties) count = gather(tie, depth, desk, count);
  if (reader.likes) count = gatherLikes(reader.likes, desk, count);
  if (!trendMuted && (reader.trendWeight > 0 || reader.dial >= OPEN_DIAL))
    for (const at of candidates.byTrend.slice(0, depth))
      if (trendOf(candidates, at) > 0 && barred[at] === 0) count = admit(at, desk, count);
  const eligible = desk.eligible.subarray(0, count);
  for (const at of eligible) scores[at] = finalScore(candidates, reader, at, scores[at] as number);
  return {
    eligible,
    byFollow: reader.ties.map(({ topic, read }) => topic.papers.subarray(0, read)),
    trendMuted,
    dial: reader.dial,
    isBarred: (at) => barred[at] === 1,
    score: (at) => scores[at] as number,
    choices(positions) {
      const reasons = reasonsOf(candidates, reader, positions);
      return positions.map((at, place) => {
        const own = reasons[place] as Reason[];
        const score = own.reduce((sum, { weight }) => sum + weight, 0);
        return { paper: (papers[at] as MatchingPaper).id, score, reasons: own };
      });
    },
  };
}

const trendOf = ({ trends }: Candidates, at: number): number => trends[at] as number;

function readerOf(candidates: Candidates, profile: Profile, trendMuted: boolean): Reader {
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

/** Notes on the desk what may not be chosen. */
function bar(candidates: Candidates, { mutes }: Profile, exclude: ReadonlySet<PaperId>): void {
  const { barred } = candidates.desk;
  barred.fill(0);
  for (const paper of exclude) {
    const at = candidates.position(paper);
    if (at !== undefined) barred[at] = 1;
  }
  for (const mute of mutes) {
    const { papers, scores } = candidates.topic(mute);
    const soft = mute.kind === 'paper' || mute.kind === 'query';
    papers.forEach((at, rank) => {
      if (!soft || (scores[rank] as number) >= MUTE_FLOOR) barred[at] = 1;
    });
    if (mute.kind === 'paper')
      candidates.papers.forEach((paper, at) => {
        if (isNamed(paper, mute.value)) barred[at] = 1;
      });
  }
}

/** Makes a position eligible, if it is not yet. @returns how many are eligible */
function admit(at: number, { scores, eligible }: Desk, count: number): number {
  if (!Number.isNaN(scores[at])) return count;
  scores[at] = 0;
  eligible[count] = at;
  return count + 1;
}

/** Adds a topic's papers to the scores, best first, and remembers how far it read. @returns how many are eligible */
function gather(tie: Tie, depth: number, desk: Desk, before: number): number {
  const { topic, weight } = tie;
  const { papers, scores } = topic;
  let count = before;
  let found = 0;
  let rank = 0;
  for (; rank < papers.length && found < depth; rank += 1) {
    const at = papers[rank] as number;
    if (desk.barred[at] === 1) continue;
    found += 1;
    count = admit(at, desk, count);
    desk.scores[at] = (desk.scores[at] as number) + weight * (scores[rank] as number);
  }
  tie.read = rank;
  return count;
}

/** Makes eligible what is like the marked papers. @returns how many are eligible */
function gatherLikes({ scores }: Likeness, desk: Desk, before: number): number {
  let count = before;
  for (let at = 0; at < scores.length; at += 1)
    if ((scores[at] as number) >= SOFT_FLOOR && desk.barred[at] === 0) count = admit(at, desk, count);
  return count;
}

function finalScore(candidates: Candidates, reader: Reader, at: number, followed: number): number {
  const { dial, likes, dislikes, trendWeight } = reader;
  const trend = trendOf(candidates, at);
  const taste = followed + (likes ? likes.share * (likes.scores[at] as number) : 0) + trendWeight * trend;
  return ((1 - dial) * taste + dial * trend) * remaining(dislikes, at);
}

/** The summands of {@link finalScore} at some positions, greatest first. */
function reasonsOf(candidates: Candidates, reader: Reader, positions: readonly number[]): Reason[][] {
  const reasons = positions.map((): Reason[] => []);
  const { place } = candidates.desk;
  place.fill(0);
  positions.forEach((at, before) => {
    place[at] = before + 1;
  });
  for (const { topic, weight, read } of reader.ties) {
    const { papers, scores } = topic;
    for (let rank = 0; rank < read; rank += 1) {
      const at = papers[rank] as number;
      if (place[at] === 0) continue;
      const keep = (1 - reader.dial) * remaining(reader.dislikes, at);
      add(reasons[(place[at] as number) - 1] as Reason[], {
        type: 'follow',
        topic: topic.topic,
        name: topic.name,
        terms: topic.terms(at),
        weight: keep * weight * (scores[rank] as number),
      });
    }
  }
  reasons.forEach((own, before) => otherReasons(candidates, reader, positions[before] as number, own));
  return reasons;
}

/** Adds a reason behind those that weigh as much or more: there are few. */
function add(reasons: Reason[], reason: Reason): void {
  let place = reasons.length;
  for (; place > 0 && (reasons[place - 1] as Reason).weight < reason.weight; place -= 1)
    reasons[place] = reasons[place - 1] as Reason;
  reasons[place] = reason;
}

/** Adds the summands that no followed topic brings. */
function otherReasons(candidates: Candidates, reader: Reader, at: number, reasons: Reason[]): void {
  const { dial, likes, dislikes, trendWeight } = reader;
  const factor = remaining(dislikes, at);
  const taste = (1 - dial) * factor;
  const liked = likes ? taste * likes.share * (likes.scores[at] as number) : 0;
  if (likes && liked !== 0) {
    const { paper } = strongest(likes, at);
    const example = candidates.example(paper);
    const [title, terms] = [example?.title ?? '', example?.terms(at) ?? []];
    add(reasons, { type: 'liked', paper, title, terms, weight: liked });
  }
  const trend = trendOf(candidates, at) * (factor * dial + taste * trendWeight);
  if (trend !== 0) add(reasons, { type: 'trending', weight: trend, fill: false });
}
