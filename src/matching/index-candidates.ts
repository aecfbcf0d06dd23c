import type { PaperId } from '#src/database/ids.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import { type Candidates, createDesk, type Example, type Neighbours } from './candidates.ts';
import { choosePapers } from './choose.ts';
import { collectInSteps } from './collection.ts';
import type { Embeddings } from './embeddings.ts';
import { explainPaper } from './explain.ts';
import { type LexicalSums, lexicalSumsInSteps } from './lexical-sums.ts';
import { memo } from './memory.ts';
import { createFilters, titleKey } from './query-match.ts';
import { createRelevanceModel, inGroups } from './relevance.ts';
import type { Relevance } from './relevance-parts.ts';
import type { Statistics } from './statistics/statistics.ts';
import { atOnce, mapInSteps, type Steps } from './steps.ts';
import type { LexicalIndex } from './text/lexical-index.ts';
import { createTermMemory, createTermSpeller, createTextNumbers } from './text/show-terms.ts';
import { showTerms } from './text/shown-terms.ts';
import { createTopicScorer, TERMS_READ, TERMS_SHOWN } from './topic-scores.ts';
import type { CandidateIndex, MatchingPaper } from './types.ts';

/** Cosine from which two papers count as resembling each other. */
const RESEMBLES = 0.3;
/** More than sums in 32 bits may be off. */
const ROUNDING = 0.001;

/**
 * Indexes the papers of a beat once, for any number of readers. `context` papers (marked by readers, no
 * candidates themselves) are known but never chosen; so must be the papers of followed topics of kind `paper`.
 * `statistics` make scores comparable between days and bring in meaning beyond words, which `embeddings`
 * take over where they are given. The result does not
 * depend on the order of the input. Cost: about 1 ms a paper; each distinct topic and each distinct marked paper is
 * scored when the first reader comes with it.
 */
export const indexCandidates = (...given: Parameters<typeof indexInSteps>): CandidateIndex =>
  atOnce(indexInSteps(...given));

/** {@link indexCandidates} in steps: two seconds of work, which must not hold up everything else. */
export function* indexInSteps(
  given: readonly MatchingPaper[],
  catalogue: readonly CatalogueTopic[],
  context: readonly MatchingPaper[] = [],
  statistics?: Statistics,
  embeddings?: Embeddings,
): Steps<CandidateIndex> {
  const papers = sortedByIdentity(given, new Set());
  const known = [...papers, ...sortedByIdentity(context, new Set(papers.map(({ identity }) => identity)))];
  const collection = yield* collectInSteps(known, papers.length, catalogue, statistics, embeddings);
  const { index } = collection;
  // Beside them the scores of examples, as many as are known at most: 12 KB each for 2,000 candidates and 1,000 background papers.
  const lexical = yield* lexicalSumsInSteps(index, collection.scored, known.length * (collection.scored + 8));
  const relevance = createRelevanceModel(collection, lexical);
  const texts = createTextNumbers();
  const spell = createTermSpeller(papers, index, TERMS_SHOWN, texts);
  const remember = createTermMemory(papers.length, texts);
  const byIdentity = new Map(
    known.flatMap(({ identity, names = [] }, at) =>
      [...names, identity].map((name) => [name, collection.positionOf(at)] as const),
    ),
  );
  const byId = new Map(known.map(({ id }, at) => [id, at]));
  const { sums } = lexical;
  const examples: (Example | undefined)[] = known.map(() => undefined);
  // A scope of its own: what a closure's scope holds besides (all that was scored together) would stay alive with it.
  const toExample = ({ strongest, ...each }: Relevance, title: string): Example => ({
    relevance: {
      ...each,
      strongest,
      scores: sums.keep(each.scores),
      background: sums.keep(each.background),
    },
    title,
    terms: remember((of) => showTerms(spell, of, strongest(of, TERMS_READ), TERMS_SHOWN)),
  });
  const learn = (positions: readonly number[]): void => {
    const found = relevance.papers(positions.map(collection.positionOf));
    positions.forEach((position, at) => {
      examples[position] = toExample(found[at] as Relevance, known[position]?.title ?? '');
    });
  };
  const filters = createFilters(papers, index);
  const topics = createTopicScorer({
    papers,
    catalogue,
    matches: collection.matches,
    filters,
    relevance,
    spell,
    remember,
    positionOf: (identity) => byIdentity.get(identity),
  });
  const candidates: Candidates = {
    papers,
    trends: Float64Array.from(papers, (paper) => paper.trend),
    byTrend: papers.map((_, at) => at).toSorted((a, b) => trend(papers, b) - trend(papers, a) || a - b),
    topic: topics.scores,
    example: (paper: PaperId) => {
      const position = byId.get(paper);
      if (position === undefined) return undefined;
      if (!examples[position]) learn([position]);
      return examples[position];
    },
    position: (paper) => {
      const position = byId.get(paper);
      return position !== undefined && position < papers.length ? position : undefined;
    },
    neighbours: memo((position: number) => resembling(index.rows, lexical, papers.length, position)),
    twins: twinsOf(yield* mapInSteps(papers, ({ title }) => titleKey(title))),
    desk: createDesk(papers.length, collection.backgroundStart, sums),
  };
  return {
    papers,
    prepare(profiles) {
      topics.prepare(profiles.flatMap(({ follows }) => follows));
      topics.prepare(profiles.flatMap(({ mutes }) => mutes));
      const missing = new Set<number>();
      const note = (paper: PaperId): void => {
        const position = byId.get(paper);
        if (position !== undefined && !examples[position]) missing.add(position);
      };
      for (const { likes, dislikes } of profiles) {
        likes.forEach(note);
        dislikes.forEach(note);
      }
      for (const some of inGroups([...missing])) learn(some);
    },
    choose: (profile, exclude) => choosePapers(candidates, profile, exclude),
    explain: (profile, exclude, paper) => explainPaper(candidates, profile, exclude, paper),
  };
}

const trend = (papers: readonly MatchingPaper[], at: number): number => papers[at]?.trend ?? 0;

const NONE: readonly number[] = [];

/** For each text where it stands and its equals, where there are any. */
function twinsOf(texts: readonly string[]): (position: number) => readonly number[] {
  const byText = Map.groupBy(texts.keys(), (at) => texts[at] as string);
  const repeated = new Map([...byText].filter(([, equal]) => equal.length > 1));
  const twins = texts.map((text) => repeated.get(text) ?? NONE);
  return (position) => twins[position] ?? NONE;
}

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

/** Candidates whose words resemble those of one. The sums are in 32 bits: who is about at {@link RESEMBLES} is compared exactly. */
function resembling(
  rows: LexicalIndex['rows'],
  lexical: LexicalSums,
  candidates: number,
  position: number,
): Neighbours {
  const [from, to] = [rows.starts[position], rows.starts[position + 1]];
  const cosines = lexical.paper({
    terms: rows.terms.subarray(from, to),
    weights: rows.unit.subarray(from, to),
  });
  const found: { at: number; cosine: number }[] = [];
  for (let at = 0; at < candidates; at += 1) {
    if (at === position || (cosines[at] as number) < RESEMBLES - ROUNDING) continue;
    const cosine = cosineOf(rows, position, at);
    if (cosine >= RESEMBLES) found.push({ at, cosine: Math.min(1, cosine) });
  }
  return {
    positions: Int32Array.from(found, ({ at }) => at),
    cosines: Float64Array.from(found, ({ cosine }) => cosine),
  };
}

/** The cosine of two rows. */
function cosineOf({ starts, terms, unit }: LexicalIndex['rows'], left: number, right: number): number {
  const [leftEnd, rightEnd] = [starts[left + 1] as number, starts[right + 1] as number];
  let sum = 0;
  let other = starts[right] as number;
  for (let at = starts[left] as number; at < leftEnd; at += 1) {
    while (other < rightEnd && (terms[other] as number) < (terms[at] as number)) other += 1;
    if (other < rightEnd && terms[other] === terms[at]) sum += (unit[at] as number) * (unit[other] as number);
  }
  return sum;
}
