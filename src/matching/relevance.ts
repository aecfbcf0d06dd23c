import type { Collection } from './collection.ts';
import { createLexicalSums, type LexicalSums } from './lexical-sums.ts';
import { byConcept, inOne, type Relevance, takeApart } from './relevance-parts.ts';
import type { Weighted } from './shared-terms.ts';
import { standardise } from './standard.ts';
import { isProse, phraseStems } from './text/document.ts';
import { K1 } from './text/lexical-index.ts';

/**
 * Scores candidates by the words they share with something, and by what those words mean. {@link TOGETHER} at once cost
 * far less than one by one; the scores are the same.
 */
export type RelevanceModel = {
  phrases(texts: readonly string[]): Relevance[];
  /** Relevance to the texts at some positions of the index, candidates or not. */
  papers(positions: readonly number[]): Relevance[];
};

/** The first words of a phrase say most of what it is about: a word counts half as much as the one this far before. */
const HALF_LIFE = 4;
/** Without a background: share of the greatest possible BM25 score, and cosine, at which a paper is clearly about it. */
const ASSUMED_PHRASE = 0.4;
const ASSUMED_COSINE = 0.13;
/** Least deviation: as a share of the greatest possible BM25 score, and of a cosine. */
const LEAST_PHRASE = 0.03;
const LEAST_COSINE = 0.01;
const LEAST_CATEGORIES = 0.05;
const LEAST_CONCEPTS = 0.1;
/** What a deviation in the catalogue's topics counts: they are few and broad. */
const TOPICS_COUNT = 0.5;
/** What a deviation in concepts counts: for a phrase that names nothing else, and for an example. */
const CONCEPTS_COUNT = 0.5;
const CONCEPTS_COUNT_OF_EXAMPLE = 0.25;
/** What a deviation in the categories of a phrase's concepts counts, where it names nothing else. */
const FIELD_COUNT = 0.5;

/** The place of an example's categories among what stands beside its words. */
const LISTING = 1;

/** Phrases or papers that are best scored together: more save no time and hold more memory. */
const TOGETHER = 64;

/** Cuts what is to be scored into groups of {@link TOGETHER}. */
export function* inGroups<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += TOGETHER) yield items.slice(from, from + TOGETHER);
}

/** Builds the model. */
export function createRelevanceModel(
  collection: Collection,
  sums: LexicalSums = createLexicalSums(collection.index, collection.scored),
): RelevanceModel {
  return {
    phrases: (texts) => phraseRelevances(collection, texts, sums),
    papers: (positions) => paperRelevances(collection, positions, sums),
  };
}

function phraseRelevances(collection: Collection, texts: readonly string[], sums: LexicalSums): Relevance[] {
  const { index, latent, categories, concepts } = collection;
  const phrases = texts.map((text) => readPhrase(index, text));
  const meanings = latent?.toPhrases(phrases.map(({ text, meanings: terms }) => ({ text, terms })));
  return phrases.map(({ text, prose, weights }, at) => {
    let most = 0;
    for (const [term, weight] of weights) most += weight * index.idf(term) * (K1 + 1);
    const wanted = weighted(weights);
    const weighing = prose ? 'bm25' : 'early';
    const meaning = meanings?.[at];
    const named = prose ? undefined : concepts.toPhrase(text);
    const field = named && categories?.toWeighted(named.categories);
    const standard = standardise(
      { ...collection, sums: sums.sums },
      { raw: sums.phrase(wanted, weighing), least: most * LEAST_PHRASE },
      [
        meaning && { raw: meaning.all, least: LEAST_COSINE },
        named && { raw: named.all, least: LEAST_CONCEPTS, counts: CONCEPTS_COUNT * named.share },
        field && { raw: field.all, least: LEAST_CATEGORIES, counts: FIELD_COUNT * named.share },
      ],
      { assumed: most * ASSUMED_PHRASE || 1, byTop: true },
    );
    return takeApart(collection, standard, wanted, index.rows[weighing], [
      inOne('meaning', meaning),
      byConcept(named),
      inOne('categories', field),
    ]);
  });
}

/** The terms of a phrase with their weights as words and in meaning. */
function readPhrase(index: Collection['index'], text: string) {
  const stems = phraseStems(text, index.vocabulary);
  const weights = new Map<number, number>();
  const meanings = new Map<number, number>();
  const prose = isProse(text);
  stems.forEach((term, at) => {
    const weight = prose ? 1 : 0.5 ** (at / HALF_LIFE);
    weights.set(term, (weights.get(term) ?? 0) + weight);
    meanings.set(term, (meanings.get(term) ?? 0) + index.idf(term) ** 2);
  });
  return { text, prose, weights, meanings };
}

function paperRelevances(
  collection: Collection,
  positions: readonly number[],
  sums: LexicalSums,
): Relevance[] {
  const { index, latent, categories, topics, concepts } = collection;
  const { starts, terms, unit } = index.rows;
  const meanings = latent?.toPapers(positions);
  return positions.map((position, at) => {
    const [from, to] = [starts[position], starts[position + 1]];
    const wanted = { terms: terms.subarray(from, to), weights: unit.subarray(from, to) };
    const meaning = meanings?.[at];
    const listing = categories?.toPaper(position);
    const listings = categories?.toListing(position);
    const topical = topics?.toPaper(position);
    const named = concepts.toPaper(position);
    const standard = standardise(
      { ...collection, sums: sums.sums },
      { raw: sums.paper(wanted), least: LEAST_COSINE },
      [
        meaning && { raw: meaning.all, least: LEAST_COSINE },
        listing && { raw: listing.all, least: LEAST_CATEGORIES },
        topical && { raw: topical.all, least: LEAST_CATEGORIES, counts: TOPICS_COUNT },
        named && { raw: named.all, least: LEAST_CONCEPTS, counts: CONCEPTS_COUNT_OF_EXAMPLE },
      ],
      { assumed: ASSUMED_COSINE, byTop: false },
    );
    return takeApart(
      collection,
      standard,
      wanted,
      unit,
      [inOne('meaning', meaning), inOne('categories', listing), inOne('topics', topical), byConcept(named)],
      listings && {
        ...listings,
        factor: standard.factors[LISTING] as number,
        usual: standard.means[LISTING] as number,
      },
    );
  });
}

/** Weighted terms, in ascending order of term. */
function weighted(weights: ReadonlyMap<number, number>): Weighted {
  const sorted = [...weights].sort(([a], [b]) => a - b);
  return {
    terms: Int32Array.from(sorted, ([term]) => term),
    weights: Float64Array.from(sorted, ([, weight]) => weight),
  };
}
