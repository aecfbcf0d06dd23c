import { STOP_STEMS } from './stop-words.ts';

/**
 * Gives terms (stems, and pairs of neighbouring stems) numbers from 0. Grows as documents are read;
 * `find…` never grows it.
 */
export type Vocabulary = {
  readonly size: number;
  /** Number of a stem. */
  stem(stem: string): number;
  findStem(stem: string): number | undefined;
  /** Number of the pair of two stems' numbers. */
  pair(first: number, second: number): number;
  findPair(first: number, second: number): number | undefined;
  /** Whether a stem's number is that of a stop word. */
  isStop(id: number): boolean;
  /** The term in words, "latent diffus". */
  text(id: number): string;
};

/** Stems are numbered below 2^26, so that a pair of them is a safe integer. */
const PAIR_BASE = 2 ** 26;

/** A new, empty vocabulary. */
export function createVocabulary(): Vocabulary {
  const stems = new Map<string, number>();
  const pairs = new Map<number, number>();
  const texts: string[] = [];
  const stops: boolean[] = [];
  const add = (text: string, stop: boolean): number => {
    stops.push(stop);
    return texts.push(text) - 1;
  };
  return {
    get size() {
      return texts.length;
    },
    stem(stem) {
      let id = stems.get(stem);
      if (id === undefined) stems.set(stem, (id = add(stem, STOP_STEMS.has(stem))));
      return id;
    },
    findStem: (stem) => stems.get(stem),
    pair(first, second) {
      const key = first * PAIR_BASE + second;
      let id = pairs.get(key);
      if (id === undefined) pairs.set(key, (id = add(`${texts[first]} ${texts[second]}`, false)));
      return id;
    },
    findPair: (first, second) => pairs.get(first * PAIR_BASE + second),
    isStop: (id) => stops[id] === true,
    text: (id) => texts[id] ?? '',
  };
}
