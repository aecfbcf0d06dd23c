import type { IsoDate, PaperId } from '#src/database/ids.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { parsePaperReference } from '#src/topics/paper-reference.ts';
import { rankedTextOf } from '#src/topics/query/parse.ts';
import type { Embeddings } from '../embeddings.ts';
import { BACKGROUND, fitStatistics } from '../statistics/fit.ts';
import type { MatchingPaper } from '../types.ts';
import { createRanker, type Ranked, type RankReason } from './ranker.ts';
import type { RankPaper, RankRequest } from './read-lines.ts';

/** A line of the answer. */
export type RankAnswer = {
  readonly id: string;
  /** Best first. The weights of a paper's reasons add up to its score, those of a reason's parts to its weight. */
  readonly ranking: readonly {
    readonly paper: string;
    readonly score: number;
    readonly reasons: readonly unknown[];
  }[];
  /** Ids of the profile that neither papers nor background hold. */
  readonly unknown?: readonly string[];
};

/** What became of a run. */
export type RankOutcome =
  | { readonly type: 'ranked'; readonly profiles: number }
  /** No paper is old enough for `fitBefore`. */
  | { readonly type: 'nothing-to-fit'; readonly before: IsoDate };

/** Files that were read, and what is asked of them. */
export type RankFiles = {
  readonly papers: readonly RankPaper[];
  readonly background: readonly RankPaper[];
  readonly profiles: readonly RankRequest[];
  readonly fitBefore?: IsoDate;
};

/** Parts of a reason that are printed; what the others weigh is printed as one. */
const PARTS_SHOWN = 8;

/**
 * Ranks papers for profiles, as the command `rank` does: statistics are fitted on the background (on the papers
 * where there is none), on those listed before `fitBefore` where it is given.
 * @param deps.onProgress told what is going on: `fit` 0…1, `profiles` done
 */
export function rankPapers(
  deps: {
    readonly write: (answer: RankAnswer) => void;
    readonly onProgress?: (step: 'fit' | 'profiles', done: number) => void;
    /** Vectors of {@link textsOf}, in place of latent semantic analysis. */
    readonly embeddings?: Embeddings;
  },
  request: RankFiles & { readonly top: number; readonly noTrend?: boolean },
): RankOutcome {
  const { profiles, fitBefore } = request;
  const fitted = fittable(request);
  if (fitBefore && fitted.length === 0) return { type: 'nothing-to-fit', before: fitBefore };
  const { all, numbers, candidates, own } = gather(request.papers, request.background, profiles);
  const statistics = fitStatistics(fitted, fitBefore ?? 'all', (done) => deps.onProgress?.('fit', done));
  const rank = createRanker({
    papers: all.map((paper, at) => toMatching(paper, at, request.noTrend === true)),
    candidates,
    catalogue: CATALOGUE,
    statistics,
    ...(deps.embeddings ? { embeddings: deps.embeddings } : {}),
  });
  profiles.forEach((profile, done) => {
    const ranked = rank(toProfile(profile, numbers, own), request.top);
    deps.write(answerOf(profile, ranked, all, numbers));
    deps.onProgress?.('profiles', done + 1);
  });
  return { type: 'ranked', profiles: profiles.length };
}

/** What an embeddings model is needed for: the papers that are compared, and the phrases they are compared with. */
export function textsOf(files: RankFiles): { papers: RankPaper[]; phrases: string[] } {
  const { all } = gather(files.papers, files.background, files.profiles);
  const phrases = files.profiles.flatMap(({ phrase, follows, mutes }) => {
    const queries = [...follows, ...mutes].filter(({ kind }) => kind === 'query').map(({ value }) => value);
    // A phrase beside follows is chosen for as a query.
    return [phrase?.trim() ?? '', ...[phrase?.trim() ?? '', ...queries].map(rankedTextOf)];
  });
  const papers = new Set([...all, ...fittable(files).slice(-BACKGROUND)]);
  return { papers: [...papers], phrases: [...new Set(phrases)].filter((phrase) => phrase !== '') };
}

/** In order of time, so that the last ones are what is usual now. */
function fittable({ papers, background, fitBefore: before }: RankFiles): RankPaper[] {
  return (background.length > 0 ? background : papers)
    .filter(({ listed }) => !before || (listed !== null && listed < before))
    .toSorted((a, b) => compare(a.listed ?? '', b.listed ?? '') || compare(a.id, b.id));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** All papers that matter, by number: those of the file, then background ones asked for as candidates, then liked ones. */
function gather(
  papers: readonly RankPaper[],
  background: readonly RankPaper[],
  profiles: readonly RankRequest[],
) {
  const numbers = new Map<string, number>();
  const all: RankPaper[] = [];
  const add = (paper: RankPaper | undefined): void => {
    if (!paper || numbers.has(paper.id)) return;
    numbers.set(paper.id, all.push(paper) - 1);
  };
  for (const paper of papers.toSorted((a, b) => compare(a.id, b.id))) add(paper);
  const own = all.length;
  const known = new Map(background.map((paper) => [paper.id, paper]));
  for (const { candidates } of profiles) for (const id of candidates ?? []) add(known.get(id));
  const candidates = all.length;
  for (const { likes, dislikes, follows } of profiles) {
    for (const id of [...likes, ...dislikes]) add(known.get(id));
    for (const { kind, value } of follows) if (kind === 'paper') add(known.get(value.replace(/^arxiv:/, '')));
  }
  return { all, numbers, candidates, own };
}

function toMatching(paper: RankPaper, at: number, noTrend: boolean): MatchingPaper {
  const reference = parsePaperReference(paper.id);
  return {
    id: at as PaperId,
    identity: reference.type === 'ok' ? reference.identity : `source:${paper.id}`,
    title: paper.title,
    abstract: paper.abstract,
    authors: paper.authors,
    categories: paper.categories,
    organisation: null,
    keywords: [],
    listedOn: paper.listed,
    trend: noTrend ? 0 : paper.trend,
  };
}

function toProfile(profile: RankRequest, numbers: ReadonlyMap<string, number>, own: number) {
  const numbersOf = (ids: readonly string[]): number[] =>
    [...new Set(ids)].flatMap((id) => numbers.get(id) ?? []);
  return {
    likes: numbersOf(profile.likes),
    dislikes: numbersOf(profile.dislikes),
    follows: profile.follows,
    mutes: profile.mutes,
    only: profile.candidates ? numbersOf(profile.candidates) : Array.from({ length: own }, (_, at) => at),
    ...(profile.phrase ? { phrase: profile.phrase } : {}),
  };
}

function answerOf(
  profile: RankRequest,
  ranked: readonly Ranked[],
  all: readonly RankPaper[],
  numbers: ReadonlyMap<string, number>,
): RankAnswer {
  const { likes, dislikes, candidates = [] } = profile;
  const unknown = [...new Set([...likes, ...dislikes, ...candidates])].filter((id) => !numbers.has(id));
  const idOf = (number: number): string => all[number]?.id ?? '';
  return {
    id: profile.id,
    ranking: ranked.map(({ paper, score, reasons }) => ({
      paper: idOf(paper),
      score,
      reasons: reasons().map((reason) => show(reason, idOf)),
    })),
    ...(unknown.length > 0 ? { unknown } : {}),
  };
}

function show(reason: RankReason, idOf: (number: number) => string): unknown {
  if (reason.type === 'reason') {
    const { reason: given } = reason;
    return given.type === 'liked' ? { ...given, paper: idOf(given.paper) } : given;
  }
  const shown = reason.parts.slice(0, PARTS_SHOWN);
  const rest = reason.parts.slice(PARTS_SHOWN).reduce((sum, { weight }) => sum + weight, 0);
  const parts = rest === 0 ? shown : [...shown, { type: 'rest', weight: rest }];
  return reason.type === 'phrase' ? { ...reason, parts } : { ...reason, paper: idOf(reason.paper), parts };
}
