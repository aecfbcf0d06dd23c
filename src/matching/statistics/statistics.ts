import type { Counted, Text } from '../text/lexical-index.ts';
import { createVocabulary } from '../text/vocabulary.ts';

/**
 * What matching learns from a few months of papers: how common terms are, the directions of latent semantic
 * analysis, and a sample of recent papers that scores are standardised against. Fitted by `fitStatistics`.
 */
export type Statistics = {
  /** Names this fit, such as the instant it was made; written into what is stored. */
  readonly version: string;
  /** Papers it was fitted on, and their mean length in weighted words. */
  readonly documents: number;
  readonly averageLength: number;
  /** Terms by number: stems first, then pairs of stems with a space. */
  readonly terms: readonly string[];
  /** In how many papers each term occurs; beside `terms`. */
  readonly documentFrequencies: Int32Array;
  /** Directions per term; 0 = none were fitted (too few papers). */
  readonly rank: number;
  /** `terms.length` × `rank`, by term. */
  readonly basis: Float32Array;
  /** What each direction is multiplied with for comparing papers: the inverse root of its singular value. */
  readonly scale: Float32Array;
  /** Mean of the papers' scaled vectors. */
  readonly mean: Float32Array;
  /** Recent papers: what is usual. */
  readonly background: readonly Text[];
};

const counted = new WeakMap<Statistics, Counted>();

/** The vocabulary and frequencies of fitted statistics, made once for each. A term that is not in it counts as in one paper. */
export function countedOf(statistics: Statistics): Counted {
  let known = counted.get(statistics);
  if (!known) counted.set(statistics, (known = count(statistics)));
  return known;
}

function count({ terms, documents, averageLength, documentFrequencies }: Statistics): Counted {
  const vocabulary = createVocabulary();
  for (const term of terms) {
    const space = term.indexOf(' ');
    if (space < 0) vocabulary.stem(term);
    else vocabulary.pair(vocabulary.stem(term.slice(0, space)), vocabulary.stem(term.slice(space + 1)));
  }
  const documentFrequency = (term: number): number => documentFrequencies[term] ?? 1;
  return { vocabulary, frequencies: { documents, averageLength, documentFrequency } };
}
