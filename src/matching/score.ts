import type { PaperId } from '#src/database/ids.ts';
import type { Candidates, Desk } from './candidates.ts';
import { type Reader, readerOf, type Tie, trendOf } from './reader.ts';
import { reasonsOf } from './reasons.ts';
import { type Likeness, remaining } from './taste.ts';
import { SOFT_FLOOR } from './topic-scores.ts';
import { type Choice, isNamed, type MatchingPaper, type Profile, type Reason } from './types.ts';

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
