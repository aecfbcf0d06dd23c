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

/** An abstract names its subject first: for phrases its words count half as much as those a third of it before them. */
const HALF_LIVES = 3;
/** What they count at the beginning, so that it is 1 on average. */
const FIRST = (HALF_LIVES * Math.LN2) / (1 - 0.5 ** HALF_LIVES);

/**
 * The terms of a text, ascending, and beside them how often each occurs. In `early`, where it is
 * needed, the words of the abstract count the more the earlier they stand.
 */
export type TermCounts = {
  readonly terms: Int32Array;
  readonly counts: Int32Array;
  readonly early?: Float32Array;
};

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
  let early = new Float32Array(counts.length);
  const seen: number[] = [];
  const add = (term: number, weight: number, earlyWeight: number): void => {
    if (term >= counts.length) {
      const size = Math.max(2 * counts.length, term + 1);
      counts = enlarge(counts, new Int32Array(size));
      early = enlarge(early, new Float32Array(size));
    }
    if (counts[term] === 0) seen.push(term);
    counts[term] = (counts[term] as number) + weight;
    early[term] = (early[term] as number) + earlyWeight;
  };
  return (document) => {
    forEachTerm(document, vocabulary, (stem, previous, weight, earlyWeight) => {
      add(stem, weight, earlyWeight);
      const pair = previous < 0 ? undefined : pairOf(previous, stem);
      if (pair !== undefined) add(pair, weight, earlyWeight);
    });
    const terms = Int32Array.from(seen).sort();
    const found = {
      terms,
      counts: terms.map((term) => counts[term] as number),
      early: Float32Array.from(terms, (term) => early[term] as number),
    };
    for (const term of seen) counts[term] = early[term] = 0;
    seen.length = 0;
    return found;
  };
}

function enlarge<Numbers extends Int32Array | Float32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}

/**
 * Goes through a text without its stop words, title first.
 * @param visit told each stem, the one right before it (−1: none, or a stop word), how much it counts, and how much
 * by how early it stands
 */
export function forEachTerm(
  { title, body }: Document,
  vocabulary: Vocabulary,
  visit: (stem: number, previous: number, weight: number, earlyWeight: number) => void,
): void {
  for (const [part, weight, first, fading] of [
    [title, TITLE_WEIGHT, TITLE_WEIGHT, 1],
    [body, 1, FIRST, 0.5 ** (HALF_LIVES / body.length)],
  ] as const) {
    let previous = -1;
    let earlyWeight = first * Math.sqrt(fading);
    for (const stem of part) {
      const stop = vocabulary.isStop(stem);
      if (!stop) visit(stem, previous, weight, earlyWeight);
      previous = stop ? -1 : stem;
      earlyWeight *= fading;
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
