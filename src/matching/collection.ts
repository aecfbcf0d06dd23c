import { researchConcepts } from '#src/topics/concepts.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import { createTopicMatcher, type TopicMatch } from './catalogue-match.ts';
import { type CategorySpace, createCategorySpace } from './categories.ts';
import { createConceptMatcher } from './concept-match.ts';
import { type ConceptSpace, createConceptSpace } from './concepts.ts';
import { type Embeddings, embeddedSpace } from './embeddings.ts';
import type { LatentSpace } from './latent.ts';
import { foldIn } from './statistics/directions.ts';
import { countedOf, type Statistics } from './statistics/statistics.ts';
import { atOnce, mapInSteps, type Steps } from './steps.ts';
import { indexTexts, type LexicalIndex, type Text } from './text/lexical-index.ts';
import { readPaper } from './text/phrase-finder.ts';

/**
 * What relevance is measured in: an index of the candidates, then the background, then texts that others are only
 * compared with. Without statistics everything given is background.
 */
export type Collection = {
  readonly index: LexicalIndex;
  /** Where the same texts are compared by meaning; undefined where nothing was fitted. */
  readonly latent: LatentSpace | undefined;
  /** How the same texts compare by their categories; undefined where the background has none. */
  readonly categories: CategorySpace | undefined;
  /** How they compare by the topics of the catalogue; undefined where too little of the background belongs to any. */
  readonly topics: CategorySpace | undefined;
  /** How they compare with phrases, and with one another, by the concepts of the thesaurus. */
  readonly concepts: ConceptSpace;
  /** The topics of the catalogue that each candidate belongs to. */
  readonly matches: readonly ReadonlyMap<string, TopicMatch>[];
  readonly candidates: number;
  /** Position of the first background text; the last is before `scored`. */
  readonly backgroundStart: number;
  /** Texts that get scores: the first so many. */
  readonly scored: number;
  /** Position in the index of the text given as number `given`. */
  positionOf(given: number): number;
};

/** Indexes texts, the first `candidates` of which can be chosen. Meaning is that of `embeddings` where they are given, else of the statistics. */
export const collectTexts = (...given: Parameters<typeof collectInSteps>): Collection =>
  atOnce(collectInSteps(...given));

/** {@link collectTexts} in steps. */
export function* collectInSteps(
  texts: readonly Text[],
  candidates: number,
  catalogue: readonly CatalogueTopic[],
  statistics?: Statistics,
  embeddings?: Embeddings,
): Steps<Collection> {
  const background = statistics?.background ?? [];
  const scored = statistics ? candidates + background.length : texts.length;
  const backgroundStart = statistics ? candidates : 0;
  const all = [...texts.slice(0, candidates), ...background, ...texts.slice(candidates)];
  const index = yield* indexTexts(all, statistics && countedOf(statistics), scored, candidates);
  const latent = embeddings
    ? embeddedSpace({
        texts: all,
        backgroundStart,
        scored,
        embeddings,
        instead: () => statistics && atOnce(foldIn(index, statistics, scored)),
      })
    : statistics && (yield* foldIn(index, statistics, scored));
  const topicsOf = createTopicMatcher(catalogue);
  researchConcepts();
  yield;
  const concepts = conceptMatcher();
  yield;
  const read = yield* mapInSteps(all, (text) => {
    const words = readPaper(text);
    return { matches: topicsOf(words), concepts: concepts.read(words) };
  });
  const matches = read.map((each) => each.matches);
  return {
    index,
    latent,
    categories: createCategorySpace(
      all.map(({ categories = [] }) => categories),
      backgroundStart,
      scored,
    ),
    topics: createCategorySpace(
      matches.map((each) => [...each.keys()]),
      backgroundStart,
      scored,
    ),
    concepts: yield* createConceptSpace(
      concepts,
      read.map((each) => each.concepts),
      backgroundStart,
      scored,
    ),
    matches: matches.slice(0, candidates),
    candidates,
    backgroundStart,
    scored,
    positionOf: (given) => (given < candidates ? given : given + background.length),
  };
}

let matcher: ReturnType<typeof createConceptMatcher> | undefined;

/** The matcher of the thesaurus, made once. */
const conceptMatcher = (): ReturnType<typeof createConceptMatcher> =>
  (matcher ??= createConceptMatcher(researchConcepts()));
