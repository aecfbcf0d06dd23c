import { STOP_STEMS } from './stop-words.ts';
import { stemsOf } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A paper's text as numbers of stems, stop words included, in order. */
export type Document = { readonly title: Int32Array; readonly body: Int32Array };

/** Reads a paper's text; new stems enter the vocabulary. */
export function readDocument(paper: { title: string; abstract: string }, vocabulary: Vocabulary): Document {
  const read = (text: string): Int32Array => Int32Array.from(stemsOf(text), (stem) => vocabulary.stem(stem));
  return { title: read(paper.title), body: read(paper.abstract) };
}

/** How many times a word of the title counts. */
export const TITLE_WEIGHT = 3;

/** The terms of a text, ascending, and beside them how often each occurs. */
export type TermCounts = { readonly terms: Int32Array; readonly counts: Int32Array };

/**
 * Counts terms: stems, and pairs of neighbours that `pairOf` knows; stop words left out, the title {@link TITLE_WEIGHT} times.
 * One counter serves many texts of a vocabulary.
 * @param pairOf number of the pair of two stems; undefined for one that does not count
 */
export function createTermCounter(
  vocabulary: Vocabulary,
  pairOf: (first: number, second: number) => number | undefined,
): (document: Document) => TermCounts {
  let counts = new Int32Array(Math.max(1024, vocabulary.size));
  const seen: number[] = [];
  const add = (term: number, weight: number): void => {
    if (term >= counts.length) {
      const larger = new Int32Array(Math.max(2 * counts.length, term + 1));
      larger.set(counts);
      counts = larger;
    }
    if (counts[term] === 0) seen.push(term);
    counts[term] = (counts[term] as number) + weight;
  };
  return (document) => {
    forEachTerm(document, vocabulary, (stem, previous, weight) => {
      add(stem, weight);
      const pair = previous < 0 ? undefined : pairOf(previous, stem);
      if (pair !== undefined) add(pair, weight);
    });
    const terms = Int32Array.from(seen).sort();
    const found = terms.map((term) => counts[term] as number);
    for (const term of seen) counts[term] = 0;
    seen.length = 0;
    return { terms, counts: found };
  };
}

/**
 * Goes through a text without its stop words, title first.
 * @param visit told each stem, the one right before it (−1: none, or a stop word), and how much it counts
 */
export function forEachTerm(
  { title, body }: Document,
  vocabulary: Vocabulary,
  visit: (stem: number, previous: number, weight: number) => void,
): void {
  for (const [part, weight] of [
    [title, TITLE_WEIGHT],
    [body, 1],
  ] as const) {
    let previous = -1;
    for (const stem of part) {
      const stop = vocabulary.isStop(stem);
      if (!stop) visit(stem, previous, weight);
      previous = stop ? -1 : stem;
    }
  }
}

/** Stems of a phrase that a vocabulary knows, in order, repeats included, stop words left out. */
export function phraseStems(phrase: string, vocabulary: Vocabulary): number[] {
  return stemsOf(phrase)
    .flatMap((text) => vocabulary.findStem(text) ?? [])
    .filter((stem) => !vocabulary.isStop(stem));
}

/** Longer texts are prose, those of which stop words are more than this share, and those of some words that end like a sentence. */
const PHRASE_WORDS = 15;
const PHRASE_STOP_SHARE = 1 / 3;
const SENTENCE_WORDS = 4;
const SENTENCE_END = /[.?!。？！]$/u;

/** Whether a text reads as sentences, in which the order of words says nothing of their weight, and not as the name of a topic. */
export function isProse(text: string): boolean {
  const stems = stemsOf(text);
  const words = stems.filter((stem) => !STOP_STEMS.has(stem)).length;
  if (words >= SENTENCE_WORDS && SENTENCE_END.test(text.trimEnd())) return true;
  return words > PHRASE_WORDS || stems.length - words > stems.length * PHRASE_STOP_SHARE;
}
