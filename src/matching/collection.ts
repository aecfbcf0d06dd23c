import { type Directions, foldIn } from './statistics/directions.ts';
import { countedOf, type Statistics } from './statistics/statistics.ts';
import { createLexicalIndex, type LexicalIndex, type Text } from './text/lexical-index.ts';

/** What relevance is measured in: an index whose first texts are the candidates and whose last are the background. */
export type Collection = {
  readonly index: LexicalIndex;
  /** Latent directions of the same texts, where statistics were fitted. */
  readonly directions: Directions | undefined;
  readonly candidates: number;
  /** Position of the first background text; the rest are background too. */
  readonly backgroundStart: number;
};

/**
 * Indexes texts, the first `candidates` of which can be chosen. Without statistics, what is usual is what the
 * given texts have.
 */
export function collectTexts(
  texts: readonly Text[],
  candidates: number,
  statistics?: Statistics,
): Collection {
  const isScored = (row: number): boolean => row < candidates || row >= texts.length || !statistics;
  const index = createLexicalIndex(
    [...texts, ...(statistics?.background ?? [])],
    statistics && countedOf(statistics),
    isScored,
  );
  return {
    index,
    directions: statistics && foldIn(index, statistics, isScored),
    candidates,
    backgroundStart: statistics ? texts.length : 0,
  };
}
