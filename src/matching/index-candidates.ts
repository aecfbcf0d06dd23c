import type { PaperId } from '#src/database/ids.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import { choosePapers } from './choose.ts';
import { collectTexts } from './collection.ts';
import type { Embeddings } from './embeddings.ts';
import { explainPaper } from './explain.ts';
import { createMemory } from './memory.ts';
import { titleKey } from './query-match.ts';
import { createRelevanceModel, type Relevance, TOGETHER } from './relevance.ts';
import type { Candidates, Example } from './score.ts';
import type { Statistics } from './statistics/statistics.ts';
import type { LexicalIndex } from './text/lexical-index.ts';
import { createTermSpeller } from './text/show-terms.ts';
import { createTopicScorer, TERMS_READ, TERMS_SHOWN } from './topic-scores.ts';
import type { CandidateIndex, MatchingPaper } from './types.ts';

/** Cosine from which two papers count as resembling each other. */
const RESEMBLES = 0.3;
/** Marked papers whose relevances are remembered at least (12 KB each for 2,000 candidates). */
const EXAMPLES_REMEMBERED = 2_500;

/**
 * Indexes the papers of a beat once, for any number of readers. `context` papers (marked by readers, no
 * candidates themselves) are known but never chosen; so must be the papers of followed topics of kind `paper`.
 * `statistics` make scores comparable between days and bring in meaning beyond words, which `embeddings`
 * take over where they are given. The result does not
 * depend on the order of the input. Cost: about 1 ms a paper; each distinct topic and each distinct marked paper is
 * scored when the first reader comes with it.
 */
export function indexCandidates(
  given: readonly MatchingPaper[],
  catalogue: readonly CatalogueTopic[],
  context: readonly MatchingPaper[] = [],
  statistics?: Statistics,
  embeddings?: Embeddings,
): CandidateIndex {
  const papers = sortedByIdentity(given, new Set());
  const known = [...papers, ...sortedByIdentity(context, new Set(papers.map(({ identity }) => identity)))];
  const collection = collectTexts(known, papers.length, statistics, embeddings);
  const { index } = collection;
  const relevance = createRelevanceModel(collection);
  const spell = createTermSpeller(papers, index, TERMS_SHOWN);
  const byIdentity = new Map(
    known.flatMap(({ identity, names = [] }, at) =>
      [...names, identity].map((name) => [name, collection.positionOf(at)] as const),
    ),
  );
  const byId = new Map(known.map(({ id }, at) => [id, at]));
  const examples = createMemory<number, Example>(EXAMPLES_REMEMBERED);
  const learn = (positions: readonly number[]): void => {
    const found = relevance.papers(positions.map(collection.positionOf));
    positions.forEach((position, at) => {
      const each = found[at] as Relevance;
      const terms = (of: number): readonly string[] => spell(of, each.topTerms(of, TERMS_READ));
      examples.set(position, { relevance: each, title: known[position]?.title ?? '', terms });
    });
  };
  const topics = createTopicScorer({
    papers,
    catalogue,
    index,
    relevance,
    spell,
    positionOf: (identity) => byIdentity.get(identity),
  });
  const titles = papers.map(({ title }) => titleKey(title));
  const candidates: Candidates = {
    papers,
    byTrend: papers.map((_, at) => at).toSorted((a, b) => trend(papers, b) - trend(papers, a) || a - b),
    topic: topics.scores,
    example: (paper: PaperId) => {
      const position = byId.get(paper);
      if (position === undefined) return undefined;
      if (!examples.get(position)) learn([position]);
      return examples.get(position);
    },
    neighbours: memo((position: number) => resembling(index, papers.length, position)),
    titleKey: (position) => titles[position] ?? '',
    scratch: new Float64Array(papers.length),
  };
  return {
    papers,
    prepare(profiles) {
      topics.prepare(profiles.flatMap(({ follows, mutes }) => [...follows, ...mutes]));
      const marked = profiles.flatMap(({ likes, dislikes }) => [...likes, ...dislikes]);
      const positions = new Set(marked.flatMap((paper) => byId.get(paper) ?? []));
      const missing = [...positions].filter((position) => !examples.get(position));
      for (let from = 0; from < missing.length; from += TOGETHER) learn(missing.slice(from, from + TOGETHER));
    },
    choose: (profile, exclude) => choosePapers(candidates, profile, exclude),
    explain: (profile, exclude, paper) => explainPaper(candidates, profile, exclude, paper),
  };
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

/** Candidates whose words resemble those of one, with the cosine. */
function resembling(index: LexicalIndex, candidates: number, position: number): ReadonlyMap<number, number> {
  const { starts: rowStarts, terms, unit } = index.rows;
  const { starts, documents, unit: weights } = index.postings;
  const cosines = new Float64Array(candidates);
  for (let each = rowStarts[position] as number; each < (rowStarts[position + 1] as number); each += 1) {
    const term = terms[each] as number;
    for (let at = starts[term] as number; at < (starts[term + 1] as number); at += 1) {
      const row = documents[at] as number;
      // Documents of a term stand in ascending order, candidates first.
      if (row >= candidates) break;
      cosines[row] = (cosines[row] as number) + (unit[each] as number) * (weights[at] as number);
    }
  }
  const found = new Map<number, number>();
  cosines.forEach((cosine, at) => {
    if (at !== position && cosine >= RESEMBLES) found.set(at, Math.min(1, cosine));
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
