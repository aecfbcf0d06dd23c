import type { PaperId } from '#src/database/ids.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import { choosePapers } from './choose.ts';
import { collectTexts } from './collection.ts';
import { titleKey } from './query-match.ts';
import { createRelevanceModel, type Relevance } from './relevance.ts';
import type { Candidates } from './score.ts';
import type { Statistics } from './statistics/statistics.ts';
import { showTerms } from './text/show-terms.ts';
import { createTopicScorer, strongTerms } from './topic-scores.ts';
import type { CandidateIndex, MatchingPaper } from './types.ts';

/** Cosine from which two papers count as resembling each other. */
const RESEMBLES = 0.3;
const TERMS_SHOWN = 3;

/**
 * Indexes the papers of a beat once, for any number of readers. `context` papers (marked by readers, no
 * candidates themselves) are known but never chosen; so must be the papers of followed topics of kind `paper`.
 * `statistics` make scores comparable between days and bring in meaning beyond words. The result does not
 * depend on the order of the input. Cost: about 1 ms a paper; each distinct topic is scored when the first reader follows it.
 */
export function indexCandidates(
  given: readonly MatchingPaper[],
  catalogue: readonly CatalogueTopic[],
  context: readonly MatchingPaper[] = [],
  statistics?: Statistics,
): CandidateIndex {
  const papers = sortedByIdentity(given, new Set());
  const known = [...papers, ...sortedByIdentity(context, new Set(papers.map(({ identity }) => identity)))];
  const collection = collectTexts(known, papers.length, statistics);
  const { index } = collection;
  const relevance = createRelevanceModel(collection);
  const byIdentity = new Map(known.map(({ identity }, at) => [identity, at]));
  const byId = new Map(known.map(({ id }, at) => [id, at]));
  const examples = memo((position: number) => relevance.paper(position));
  const titles = papers.map(({ title }) => titleKey(title));
  const candidates: Candidates = {
    papers,
    byTrend: papers.map((_, at) => at).toSorted((a, b) => trend(papers, b) - trend(papers, a) || a - b),
    topic: createTopicScorer({
      papers,
      catalogue,
      index,
      relevance,
      positionOf: (identity) => byIdentity.get(identity),
    }),
    example: (paper) => {
      const position = byId.get(paper);
      return position === undefined ? undefined : examples(position);
    },
    title: (paper: PaperId) => known[byId.get(paper) ?? -1]?.title ?? '',
    neighbours: memo((position: number) => resembling(relevance.paper(position), position)),
    titleKey: (position) => titles[position] ?? '',
    sharedTerms: (position: number, example: Relevance) =>
      showTerms(papers[position] as MatchingPaper, strongTerms(example.explain(position)), TERMS_SHOWN),
  };
  return { papers, choose: (profile, exclude) => choosePapers(candidates, profile, exclude) };
}

const trend = (papers: readonly MatchingPaper[], at: number): number => papers[at]?.trend ?? 0;

/** One paper per identity, in an order that does not depend on the input's. */
function sortedByIdentity(papers: readonly MatchingPaper[], without: ReadonlySet<string>): MatchingPaper[] {
  const byIdentity = new Map<string, MatchingPaper>();
  for (const paper of papers) {
    const other = byIdentity.get(paper.identity);
    if (!without.has(paper.identity) && (!other || paper.id < other.id))
      byIdentity.set(paper.identity, paper);
  }
  return [...byIdentity.values()].toSorted((a, b) => (a.identity < b.identity ? -1 : 1));
}

function resembling({ scores }: Relevance, position: number): ReadonlyMap<number, number> {
  const self = scores[position] || 1;
  const found = new Map<number, number>();
  scores.forEach((score, at) => {
    const likeness = Math.min(1, score / self);
    if (at !== position && likeness >= RESEMBLES) found.set(at, likeness);
  });
  return found;
}

function memo<Value>(compute: (key: number) => Value): (key: number) => Value {
  const known = new Map<number, Value>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = compute(key)));
    return value;
  };
}
