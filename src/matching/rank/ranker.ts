import type { PaperId } from '#src/database/ids.ts';
import type { CatalogueTopic, Follow } from '#src/topics/topic.ts';
import { type Collection, collectTexts } from '../collection.ts';
import type { Embeddings } from '../embeddings.ts';
import { indexCandidates } from '../index-candidates.ts';
import { createRelevanceModel, inGroups } from '../relevance.ts';
import type { Part, Relevance } from '../relevance-parts.ts';
import type { Statistics } from '../statistics/statistics.ts';
import { type Likeness, likeness, toDeviations } from '../taste.ts';
import type { CandidateIndex, MatchingPaper, Reason } from '../types.ts';
import { createWeightedSums } from '../weighted-sums.ts';
import { createCache } from './cache.ts';

/** One line of profiles: an interest by phrase and examples, or a reader's follows. Papers by number in `papers`. */
export type RankProfile = {
  readonly phrase?: string;
  readonly likes: readonly number[];
  readonly dislikes: readonly number[];
  readonly follows: readonly Follow[];
  readonly mutes: readonly Follow[];
  /** The papers to rank; all candidates when absent. */
  readonly only?: readonly number[];
};

/** Why a paper stands where it stands: the weights of the parts add up to the paper's score. */
export type RankReason =
  | {
      readonly type: 'phrase';
      readonly phrase: string;
      readonly weight: number;
      readonly parts: readonly Part[];
    }
  | {
      readonly type: 'liked' | 'disliked';
      readonly paper: number;
      readonly weight: number;
      readonly parts: readonly Part[];
    }
  | { readonly type: 'reason'; readonly reason: Reason };

/** A ranked paper, by number. */
export type Ranked = { readonly paper: number; readonly score: number; reasons(): RankReason[] };

/** What likeness to disliked papers takes, as a share of what likeness to liked ones gives. */
const DISLIKES = 0.5;
/** Bytes of relevances kept from one profile to the next. */
const CACHE_BYTES = 256 * 2 ** 20;

/**
 * Ranks many profiles over the same papers. An interest (phrase, likes, dislikes) is scored on every paper and
 * sorted, with no floor, no fairness and no diversity; a profile with follows or mutes is chosen for like a digest; one that
 * holds nothing (that is known) gets what trends, and where nothing does the latest.
 * @param deps.papers candidates first, then papers that are only known (liked ones)
 * @param deps.candidates how many of `papers` are candidates
 */
export function createRanker(deps: {
  readonly papers: readonly MatchingPaper[];
  readonly candidates: number;
  readonly catalogue: readonly CatalogueTopic[];
  readonly statistics?: Statistics;
  readonly embeddings?: Embeddings;
}): (profile: RankProfile, top: number) => Ranked[] {
  const { papers, candidates, statistics, embeddings } = deps;
  const collection = collectTexts(papers, candidates, deps.catalogue, statistics, embeddings);
  const model = createRelevanceModel(collection);
  const cache = createCache<Relevance>(Math.max(16, Math.floor(CACHE_BYTES / (4 * (collection.scored + 1)))));
  const phrase = (text: string): Relevance =>
    cache.get(`phrase ${text}`, () => model.phrases([text])[0] as Relevance);
  const example = (paper: number): Relevance =>
    cache.get(`paper ${paper}`, () => model.papers([collection.positionOf(paper)])[0] as Relevance);
  // Those of a profile together: one by one they take two and a half times as long.
  const learn = (marked: Iterable<number>): void => {
    const missing = [...marked].filter((paper) => !cache.has(`paper ${paper}`));
    for (const some of inGroups(missing))
      model
        .papers(some.map(collection.positionOf))
        .forEach((relevance, at) => cache.get(`paper ${some[at]}`, () => relevance));
  };
  const desk = createInterestDesk(collection);
  let index: CandidateIndex | undefined;
  const all = papers.slice(0, candidates).map((_, at) => at);

  return (profile, top) => {
    if (profile.follows.length > 0 || profile.mutes.length > 0) {
      index ??= indexCandidates(
        papers.slice(0, candidates),
        deps.catalogue,
        papers.slice(candidates),
        statistics,
        embeddings,
      );
      return choose(index, papers, profile, top, all);
    }
    const marked = new Set([...profile.likes, ...profile.dislikes]);
    if (marked.size === 0 && !profile.phrase?.trim())
      return trending(profile.only ?? all, papers).slice(0, top);
    learn(marked);
    const interest = scoreInterest(profile, desk, phrase, example);
    return (profile.only ?? all)
      .filter((paper) => !marked.has(paper))
      .map((paper) => ({ paper, score: interest.score(paper) }))
      .toSorted((a, b) => b.score - a.score || a.paper - b.paper)
      .slice(0, top)
      .map((each) => ({ ...each, reasons: () => interest.reasons(each.paper) }));
  };
}

/** Papers for who asks for nothing: by trend, then the latest first, then by number. */
function trending(only: readonly number[], papers: readonly MatchingPaper[]): Ranked[] {
  const listed = (paper: number): string => papers[paper]?.listedOn ?? '';
  return only
    .map((paper) => ({ paper, score: papers[paper]?.trend ?? 0 }))
    .toSorted(
      (a, b) =>
        b.score - a.score ||
        (listed(a.paper) < listed(b.paper) ? 1 : listed(a.paper) > listed(b.paper) ? -1 : a.paper - b.paper),
    )
    .map(({ paper, score }) => ({
      paper,
      score,
      reasons: () =>
        score === 0
          ? []
          : [{ type: 'reason', reason: { type: 'trending', weight: score, fill: false } } as const],
    }));
}

type Interest = { score(paper: number): number; reasons(paper: number): RankReason[] };

const createInterestDesk = ({ scored, backgroundStart }: Collection) => {
  const sums = createWeightedSums(scored);
  return { sums, backgroundStart, background: sums.lend(), likes: sums.lend(), dislikes: sums.lend() };
};

/** What marked papers are worth is written on the desk: score before the next interest comes. */
function scoreInterest(
  profile: RankProfile,
  desk: ReturnType<typeof createInterestDesk>,
  phraseRelevance: (text: string) => Relevance,
  example: (paper: number) => Relevance,
): Interest {
  const asLikeness = (marked: readonly number[], scores: Float32Array): Likeness | undefined =>
    likeness(marked as readonly PaperId[], desk, scores, example);
  const likes = asLikeness(profile.likes, desk.likes);
  const dislikes = asLikeness(profile.dislikes, desk.dislikes);
  const text = profile.phrase?.trim();
  const phrase = text ? phraseRelevance(text) : undefined;
  const share = likes ? (phrase ? likes.share : 1) : 0;
  const phraseFactor = phrase ? (1 - share) * toDeviations(phrase.background, desk.sums) : 0;
  const dislikeFactor = dislikes ? -DISLIKES * dislikes.share : 0;
  return {
    score: (paper) =>
      phraseFactor * (phrase?.scores[paper] ?? 0) +
      share * (likes?.scores[paper] ?? 0) +
      dislikeFactor * (dislikes?.scores[paper] ?? 0),
    reasons(paper) {
      const marked = (type: 'liked' | 'disliked', all: Likeness | undefined, part: number): RankReason[] =>
        (all?.marked ?? []).map(({ paper: which, factor, relevance }) => ({
          type,
          paper: which,
          ...weigh(relevance, paper, part * factor, all?.categoriesTimes),
        }));
      const reasons = [...marked('liked', likes, share), ...marked('disliked', dislikes, dislikeFactor)];
      if (phrase && text)
        reasons.push({ type: 'phrase', phrase: text, ...weigh(phrase, paper, phraseFactor) });
      return reasons.toSorted((a, b) => weightOf(b) - weightOf(a));
    },
  };
}

const weightOf = (reason: RankReason): number =>
  reason.type === 'reason' ? reason.reason.weight : reason.weight;

function weigh(
  relevance: Relevance,
  paper: number,
  factor: number,
  categoriesTimes?: number,
): { weight: number; parts: Part[] } {
  const parts = relevance
    .explain(paper, categoriesTimes)
    .map((part) => ({ ...part, weight: part.weight * factor }));
  return { weight: parts.reduce((sum, part) => sum + part.weight, 0), parts };
}

function choose(
  index: CandidateIndex,
  papers: readonly MatchingPaper[],
  profile: RankProfile,
  top: number,
  all: readonly number[],
): Ranked[] {
  const numbers = new Map(papers.map(({ id }, at) => [id, at]));
  const ids = (list: readonly number[]): PaperId[] => list.flatMap((paper) => papers[paper]?.id ?? []);
  const only = profile.only && new Set(profile.only);
  const exclude = new Set(
    ids([...profile.likes, ...profile.dislikes, ...(only ? all.filter((paper) => !only.has(paper)) : [])]),
  );
  const query = profile.phrase?.trim();
  const follows = query
    ? [...profile.follows, { kind: 'query' as const, value: query, weight: 1 }]
    : profile.follows;
  const choices = index.choose(
    {
      follows,
      mutes: profile.mutes,
      likes: ids(profile.likes),
      dislikes: ids(profile.dislikes),
      dial: 0,
      fillWithTrending: false,
      limit: top,
    },
    exclude,
  );
  return choices.map(({ paper, score, reasons }) => ({
    paper: numbers.get(paper) as number,
    score,
    reasons: () => reasons.map((reason) => ({ type: 'reason' as const, reason })),
  }));
}
