import type { Cosines } from './latent.ts';
import { createMemory } from './memory.ts';

/**
 * Compares what texts stand under, arXiv's categories or topics of the catalogue: one more respect in which papers
 * resemble an example.
 */
export type CategorySpace = {
  /** Cosines with the text at a position; undefined when it has no categories. Here and below `all` is written over by the next ones. */
  toPaper(position: number): Cosines | undefined;
  /** With weighted categories; undefined when they say nothing. */
  toWeighted(categories: ReadonlyMap<string, number>): Cosines | undefined;
  /** What `toPaper` is made of. */
  toListing(position: number): Listing | undefined;
};

/** How a text compares with all others, by the sets of categories that these stand under: few, since most texts share theirs. */
export type Listing = {
  /** Number of the text's own set. */
  readonly set: number;
  /** Cosine with each set, by number. */
  readonly cosines: Float32Array;
  readonly sets: Sets;
};

/** The sets of categories of texts, numbered as they first come. */
export type Sets = {
  /** The set of each text, in the order of the index. */
  readonly of: Int32Array;
  /** Those of the texts that get scores: the first so many. */
  readonly scored: number;
  /** Texts of the background, and those under each set that holds any category. */
  readonly background: number;
  readonly inBackground: Int32Array;
};

/** Background papers with categories, below which it is not known how common a category is. */
const LEAST_BACKGROUND = 100;

/** Sets of categories whose cosines with all others are kept at least: most papers have one of a few. */
const REMEMBERED = 256;

/** Weights of a set of categories, at length 1. */
type Weights = ReadonlyMap<string, number>;

/**
 * Reads the categories of texts, in their order; undefined where the background (from `backgroundStart` to `scored`) has too few. A
 * category weighs as much as it is rare, ln((n + 1) / (papers in it + 1)). A text without categories gets what is usual: it is neither
 * nearer nor farther.
 */
export function createCategorySpace(
  given: readonly (readonly string[])[],
  backgroundStart: number,
  scored: number,
): CategorySpace | undefined {
  const background = given.slice(backgroundStart, scored).flatMap((categories) => {
    const distinct = new Set(categories);
    return distinct.size > 0 ? [distinct] : [];
  });
  if (background.length < LEAST_BACKGROUND) return undefined;
  const found = new Map<string, number>();
  for (const categories of background)
    for (const category of categories) found.set(category, (found.get(category) ?? 0) + 1);
  const idf = (category: string): number =>
    Math.log((background.length + 1) / ((found.get(category) ?? 0) + 1));

  // Texts share few sets of categories: each is compared once.
  const numbers = new Map<string, number>();
  const sets: Weights[] = [];
  const setOf = Int32Array.from(given, (categories) => {
    const sorted = [...new Set(categories)].sort();
    const key = sorted.join(' ');
    let number = numbers.get(key);
    if (number === undefined)
      numbers.set(key, (number = sets.push(weigh(new Map(sorted.map((each) => [each, 1])), idf)) - 1));
    return number;
  });
  const backgroundOf = new Int32Array(sets.length);
  for (const number of setOf.subarray(backgroundStart, scored))
    if ((sets[number] as Weights).size > 0) backgroundOf[number] = (backgroundOf[number] as number) + 1;

  const known = createMemory<number, Float32Array>(REMEMBERED);
  const compare = (wanted: Weights): Float32Array => {
    const each = Float32Array.from(sets, (weights) => product(wanted, weights));
    const usual = each.reduce((sum, cosine, at) => sum + cosine * (backgroundOf[at] as number), 0);
    sets.forEach((weights, at) => {
      if (weights.size === 0) each[at] = usual / background.length;
    });
    return each;
  };
  const all = new Float32Array(scored);
  const spread = (each: Float32Array): Cosines => {
    for (let at = 0; at < scored; at += 1) all[at] = each[setOf[at] as number] as number;
    return { all, one: (at) => each[setOf[at] as number] as number };
  };
  const shared: Sets = {
    of: setOf,
    scored: setOf.subarray(0, scored).reduce((most, number) => Math.max(most, number + 1), 0),
    background: scored - backgroundStart,
    inBackground: backgroundOf,
  };
  const toListing = (position: number): Listing | undefined => {
    const set = setOf[position] as number;
    if (sets[set]?.size === 0) return undefined;
    let cosines = known.get(set);
    if (!cosines) known.set(set, (cosines = compare(sets[set] as Weights)));
    return { set, cosines, sets: shared };
  };
  return {
    toListing,
    toPaper(position) {
      const listing = toListing(position);
      return listing && spread(listing.cosines);
    },
    toWeighted(categories) {
      const wanted = weigh(categories, idf);
      return [...wanted.values()].some((weight) => weight > 0) ? spread(compare(wanted)) : undefined;
    },
  };
}

function weigh(categories: Weights, idf: (category: string) => number): Weights {
  const weights = [...categories].map(([category, weight]) => [category, weight * idf(category)] as const);
  const length = Math.sqrt(weights.reduce((sum, [, weight]) => sum + weight * weight, 0)) || 1;
  return new Map(weights.map(([category, weight]) => [category, weight / length]));
}

function product(left: Weights, right: Weights): number {
  let sum = 0;
  for (const [category, weight] of left) sum += weight * (right.get(category) ?? 0);
  return sum;
}
