import { STOP_STEMS } from './stop-words.ts';
import { stemsOf, tokenize } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A paper's text as numbers of stems, stop words included, in order. */
export type Document = { readonly title: Int32Array; readonly body: Int32Array };

/** Reads a paper's text; new stems enter the vocabulary. */
export function readDocument(paper: { title: string; abstract: string }, vocabulary: Vocabulary): Document {
  const read = (text: string): Int32Array => Int32Array.from(stemsOf(text), (stem) => vocabulary.stem(stem));
  return { title: read(paper.title), body: read(paper.abstract) };
}

/** Where the words of a text stand: UTF-16 offsets beside its stems. */
export type Offsets = { readonly starts: Int32Array; readonly ends: Int32Array };

/** Offsets of the words that `readDocument` reads from a text, in the same order. */
export function offsetsOf(text: string): Offsets {
  const tokens = tokenize(text);
  return {
    starts: Int32Array.from(tokens, ({ start }) => start),
    ends: Int32Array.from(tokens, ({ end }) => end),
  };
}

/** How many times a word of the title counts. */
export const TITLE_WEIGHT = 3;

/**
 * How often each term (stem, or pair of neighbours) occurs, stop words left out, the title {@link TITLE_WEIGHT}
 * times; in order of first appearance, title first.
 */
export function termCounts(document: Document, vocabulary: Vocabulary): Map<number, number> {
  const counts = new Map<number, number>();
  count(document.title, TITLE_WEIGHT, counts, vocabulary);
  count(document.body, 1, counts, vocabulary);
  return counts;
}

function count(stems: Int32Array, weight: number, counts: Map<number, number>, vocabulary: Vocabulary): void {
  let previous = -1;
  for (const stem of stems) {
    if (vocabulary.isStop(stem)) {
      previous = -1;
      continue;
    }
    counts.set(stem, (counts.get(stem) ?? 0) + weight);
    if (previous >= 0) {
      const pair = vocabulary.pair(previous, stem);
      counts.set(pair, (counts.get(pair) ?? 0) + weight);
    }
    previous = stem;
  }
}

/** Stems of a phrase that a vocabulary knows, in order, repeats included, stop words left out. */
export function phraseStems(phrase: string, vocabulary: Vocabulary): number[] {
  return stemsOf(phrase)
    .flatMap((text) => vocabulary.findStem(text) ?? [])
    .filter((stem) => !vocabulary.isStop(stem));
}

/** Longer texts are prose, and those of which stop words are more than this share. */
const PHRASE_WORDS = 15;
const PHRASE_STOP_SHARE = 1 / 3;

/** Whether a text reads as sentences, in which the order of words says nothing of their weight, and not as the name of a topic. */
export function isProse(text: string): boolean {
  const stems = stemsOf(text);
  const words = stems.filter((stem) => !STOP_STEMS.has(stem)).length;
  return words > PHRASE_WORDS || stems.length - words > stems.length * PHRASE_STOP_SHARE;
}
