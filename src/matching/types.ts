import type { IsoDate, PaperId } from '#src/database/ids.ts';
import type { Follow, TopicRef } from '#src/topics/topic.ts';

/** The part of a paper that matching reads. */
export type MatchingPaper = {
  readonly id: PaperId;
  readonly identity: string;
  /** Other identifiers of the same work: what is followed or muted may name any of them. */
  readonly names?: readonly string[];
  readonly title: string;
  readonly abstract: string;
  readonly authors: readonly string[];
  readonly categories: readonly string[];
  readonly organisation: string | null;
  readonly keywords: readonly string[];
  /** The day it was first listed or published: what `after:` compares with. */
  readonly listedOn: IsoDate | null;
  /** Trend in [0, 1], from papers/trend.ts. */
  readonly trend: number;
};

/** True when an identifier names the paper. */
export const isNamed = ({ identity, names }: MatchingPaper, identifier: string): boolean =>
  identity === identifier || names?.includes(identifier) === true;

/** What matching knows of one subscriber: nothing that names the person. */
export type Profile = {
  readonly follows: readonly Follow[];
  readonly mutes: readonly Follow[];
  /** Papers marked "more", newest first. */
  readonly likes: readonly PaperId[];
  /** Papers marked "less", newest first. */
  readonly dislikes: readonly PaperId[];
  /** Papers put aside: they are not chosen again. */
  readonly notNow?: readonly PaperId[];
  /** 0 = taste only … 100 = trending only. */
  readonly dial: number;
  readonly fillWithTrending: boolean;
  /** How many papers at most. */
  readonly limit: number;
};

/** Why a paper was chosen. The strongest reason comes first. */
export type Reason =
  | {
      readonly type: 'follow';
      readonly topic: TopicRef;
      /** How the topic is called: "Diffusion models", "cs.CL", "Ada Lovelace". */
      readonly name: string;
      /** The terms or phrases that weighed most, as they stand in the paper, or the usual name of a concept; may be empty. */
      readonly terms: readonly string[];
      /** Contribution to the score. */
      readonly weight: number;
    }
  | {
      readonly type: 'liked';
      /** The liked paper that weighed most. */
      readonly paper: PaperId;
      readonly title: string;
      readonly terms: readonly string[];
      readonly weight: number;
    }
  /** The reader put it aside on a day and wanted to be reminded: it weighs nothing, its turn brought it. */
  | { readonly type: 'reminder'; readonly on: IsoDate; readonly weight: 0 }
  /** `fill`: it matched nothing that is followed and fills up the digest. */
  | { readonly type: 'trending'; readonly weight: number; readonly fill: boolean };

/** A chosen paper. */
export type Choice = {
  readonly paper: PaperId;
  readonly score: number;
  readonly reasons: readonly Reason[];
};

/** What became of one paper for one reader. */
export type Explanation =
  /** It is not among the papers of the edition. */
  | { readonly type: 'no-candidate' }
  | { readonly type: 'sent-before' }
  | { readonly type: 'muted'; readonly by: readonly TopicRef[] }
  /** Nothing that the reader follows or liked reaches it. */
  | { readonly type: 'no-match' }
  /** `place` counts from 1. */
  | { readonly type: 'chosen'; readonly place: number; readonly choice: Choice }
  /** It matches, but others stand before it (`place` by score, of so many that match), or resemble it. */
  | { readonly type: 'outranked'; readonly place: number; readonly of: number; readonly choice: Choice };

/**
 * Candidates, indexed once and used for many readers. Built by `indexCandidates(papers, catalogue)`.
 * `choose` is pure and deterministic: the same profile and exclusions give the same choices whatever
 * the order of the input was.
 */
export type CandidateIndex = {
  readonly papers: readonly MatchingPaper[];
  /** Scores what these readers follow and marked, together: far faster than one by one while choosing. Changes no choice. */
  prepare(profiles: readonly Profile[]): void;
  /** The papers for one reader, best first, never one of `exclude`; empty when nothing reaches the floor. */
  choose(profile: Profile, exclude: ReadonlySet<PaperId>): Choice[];
  /** Why a paper is chosen for a reader, or is not. */
  explain(profile: Profile, exclude: ReadonlySet<PaperId>, paper: PaperId): Explanation;
};
