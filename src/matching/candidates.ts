import type { PaperId } from '#src/database/ids.ts';
import type { TopicRef } from '#src/topics/topic.ts';
import type { Relevance } from './relevance-parts.ts';
import type { TasteDesk } from './taste.ts';
import type { TopicScores } from './topic-scores.ts';
import type { MatchingPaper } from './types.ts';
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
export const createDesk = (candidates: number, backgroundStart: number, sums: WeightedSums): Desk => ({
  sums,
  backgroundStart,
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
