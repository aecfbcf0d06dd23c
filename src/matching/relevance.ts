import type { Collection } from './collection.ts';
import type { ConceptCosines } from './concepts.ts';
import type { Cosines } from './latent.ts';
import { createLexicalSums, type LexicalSums } from './lexical-sums.ts';
import {
  countHeavier,
  findShared,
  greatest,
  type Shared,
  type Strongest,
  type Weighted,
} from './shared-terms.ts';
import { type Standard, standardise } from './standard.ts';
import { isProse, phraseStems } from './text/document.ts';
import { K1 } from './text/lexical-index.ts';

/**
 * A share of a relevance. `term`: of a stem or pair of stems that both texts hold · `meaning`: of the latent
 * directions, where words differ · `categories`: of the arXiv categories that both papers stand under, or the paper and what a
 * phrase names · `topics`: of the catalogue's topics that both belong to · `concept`: of a concept of the thesaurus that both
 * name, or that stands above what they name · `usual`: what an average paper has (taken away, so it may be negative).
 */
export type Part =
  | { readonly type: 'term'; readonly term: string; readonly weight: number }
  | { readonly type: 'concept'; readonly concept: string; readonly weight: number }
  | { readonly type: 'meaning' | 'categories' | 'topics' | 'usual'; readonly weight: number };

/**
 * How well papers fit one phrase or one example paper, standardised against a background of recent papers, so
 * that it compares between topics and days: 0 = like an average paper, 1 = clearly about it.
 */
export type Relevance = {
  /** Of each candidate, by position. */
  readonly scores: Float32Array;
  /** Of each background paper. */
  readonly background: Float32Array;
  /** What makes up one candidate's score, greatest first; the weights add up to it (to rounding). */
  readonly explain: (position: number) => Part[];
  /**
   * The terms, at most `limit`, and the concept that speak most for a candidate: what `explain` gives, for less. Taken
   * alone it keeps no scores alive.
   */
  readonly strongest: (position: number, limit: number) => Strongest;
};

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
    return relevance(collection, standard, wanted, index.rows[weighing], [
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
    return relevance(collection, standard, wanted, unit, [
      inOne('meaning', meaning),
      inOne('categories', listing),
      inOne('topics', topical),
      byConcept(named),
    ]);
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

/** What counts beside the words: how one text scores in it, times a factor, and in which concepts; undefined where it was not used. */
type Beside =
  | {
      readonly parts: (position: number, factor: number) => Part[];
      readonly concepts?: ConceptCosines['parts'];
    }
  | undefined;

function inOne(type: 'meaning' | 'categories' | 'topics', cosines: Cosines | undefined): Beside {
  if (!cosines) return undefined;
  const { one } = cosines;
  return { parts: (position, factor) => [{ type, weight: one(position) * factor }] };
}

function byConcept(cosines: ConceptCosines | undefined): Beside {
  if (!cosines) return undefined;
  const { parts } = cosines;
  return {
    parts: (position, factor) =>
      parts(position).map(({ concept, weight }) => ({
        type: 'concept',
        concept: concept.names[0] ?? '',
        weight: weight * factor,
      })),
    concepts: parts,
  };
}

type Weighed = ReturnType<ConceptCosines['parts']>[number];
const heavier = (one: Weighed | undefined, other: Weighed): Weighed =>
  one && one.weight >= other.weight ? one : other;

const shared: Shared = { terms: new Int32Array(0), weights: new Float64Array(0) };

function relevance(
  { index, candidates, backgroundStart }: Collection,
  { scores, lexicalFactor, factors, usual }: Standard,
  wanted: Weighted,
  rowWeights: Float32Array,
  beside: readonly Beside[],
): Relevance {
  const share = (position: number): number =>
    findShared({ ...index.rows, weights: rowWeights }, position, wanted, lexicalFactor, shared);
  const at = beside.findIndex((each) => each?.concepts);
  const [concepts, conceptFactor] = [beside[at]?.concepts, factors[at] ?? 0];
  return {
    scores: scores.subarray(0, candidates),
    background: scores.subarray(backgroundStart),
    explain(position) {
      const parts: Part[] = [{ type: 'usual', weight: usual }];
      beside.forEach((each, at) => {
        const factor = factors[at] ?? 0;
        if (each && factor !== 0) parts.push(...each.parts(position, factor));
      });
      const count = share(position);
      for (let at = 0; at < count; at += 1)
        parts.push({
          type: 'term',
          term: index.vocabulary.text(shared.terms[at] as number),
          weight: shared.weights[at] as number,
        });
      return parts.toSorted((a, b) => b.weight - a.weight);
    },
    strongest(position, limit) {
      const count = share(position);
      const terms = greatest(shared, count, limit);
      const most =
        conceptFactor > 0 ? concepts?.(position).reduce<Weighed | undefined>(heavier, undefined) : undefined;
      if (!most) return { terms };
      const weight = most.weight * conceptFactor;
      return {
        terms,
        concept: { names: most.concept.names, weight, after: countHeavier(shared, count, weight) },
      };
    },
  };
}
