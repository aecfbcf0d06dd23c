import type { Listed } from './category-agreement.ts';
import type { Collection } from './collection.ts';
import type { ConceptCosines } from './concepts.ts';
import type { Cosines } from './latent.ts';
import {
  countHeavier,
  findShared,
  greatest,
  type Shared,
  type Strongest,
  type Weighted,
} from './shared-terms.ts';
import type { Standard } from './standard.ts';

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
  /** What of the scores are the example's categories; undefined where they were not used. */
  readonly listed?: Listed;
  /**
   * What makes up one candidate's score, greatest first; the weights add up to it (to rounding). Where the categories of
   * several papers count so many times, what makes up the score with that.
   */
  readonly explain: (position: number, categoriesTimes?: number) => Part[];
  /**
   * The terms, at most `limit`, and the concept that speak most for a candidate: what `explain` gives, for less. Taken
   * alone it keeps no scores alive.
   */
  readonly strongest: (position: number, limit: number) => Strongest;
};

/** What counts beside the words: how one text scores in it, times a factor, and in which concepts; undefined where it was not used. */
export type Beside =
  | {
      readonly parts: (position: number, factor: number) => Part[];
      readonly concepts?: ConceptCosines['parts'];
      /** Whether it is the categories. */
      readonly isListing?: boolean;
    }
  | undefined;

/** What is one part, whatever it is made of. */
export function inOne(type: 'meaning' | 'categories' | 'topics', cosines: Cosines | undefined): Beside {
  if (!cosines) return undefined;
  const { one } = cosines;
  return {
    parts: (position, factor) => [{ type, weight: one(position) * factor }],
    isListing: type === 'categories',
  };
}

/** What is a part for each shared concept. */
export function byConcept(cosines: ConceptCosines | undefined): Beside {
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

/**
 * Makes a relevance of standardised scores.
 * @param wanted the terms that were looked for
 * @param rowWeights what terms weigh in the rows of the index
 * @param beside what was added to the words, in the order of the factors
 * @param listed what of it are categories
 */
export function takeApart(
  { index, candidates, backgroundStart }: Collection,
  { scores, lexicalFactor, factors, usual }: Standard,
  wanted: Weighted,
  rowWeights: Float32Array,
  beside: readonly Beside[],
  listed?: Listed,
): Relevance {
  const share = (position: number): number =>
    findShared({ ...index.rows, weights: rowWeights }, position, wanted, lexicalFactor, shared);
  const at = beside.findIndex((each) => each?.concepts);
  const [concepts, conceptFactor] = [beside[at]?.concepts, factors[at] ?? 0];
  return {
    scores: scores.subarray(0, candidates),
    background: scores.subarray(backgroundStart),
    ...(listed && { listed }),
    explain(position, times = 1) {
      const parts: Part[] = [{ type: 'usual', weight: usual - (times - 1) * (listed?.usual ?? 0) }];
      beside.forEach((each, at) => {
        const factor = factors[at] ?? 0;
        if (each && factor !== 0)
          parts.push(...each.parts(position, each.isListing ? factor * times : factor));
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
