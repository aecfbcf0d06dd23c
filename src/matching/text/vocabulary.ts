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
  isPair(id: number): boolean;
  /** The stems of a pair; undefined for a stem. */
  partsOf(id: number): readonly [number, number] | undefined;
  /** The term in words, "latent diffus". */
  text(id: number): string;
};

/** Stems are numbered below 2^26, so that a pair of them is a safe integer. */
const PAIR_BASE = 2 ** 26;

/**
 * A new vocabulary: empty, or on top of another one, whose numbers stay valid. The one below must not grow any more.
 */
export function createVocabulary(below?: Vocabulary): Vocabulary {
  const stems = new Map<string, number>();
  const pairs = new Map<number, number>();
  const first = below?.size ?? 0;
  const texts: string[] = [];
  const flags: number[] = [];
  const parts = new Map<number, readonly [number, number]>();
  const add = (text: string, flag: number): number => {
    flags.push(flag);
    return first + texts.push(text) - 1;
  };
  const findStem = (stem: string): number | undefined => below?.findStem(stem) ?? stems.get(stem);
  const findPair = (left: number, right: number): number | undefined =>
    below?.findPair(left, right) ?? pairs.get(left * PAIR_BASE + right);
  const text = (id: number): string => (id < first ? (below?.text(id) ?? '') : (texts[id - first] ?? ''));
  return {
    get size() {
      return first + texts.length;
    },
    stem(stem) {
      let id = findStem(stem);
      if (id === undefined) stems.set(stem, (id = add(stem, STOP_STEMS.has(stem) ? STOP : 0)));
      return id;
    },
    findStem,
    pair(left, right) {
      let id = findPair(left, right);
      if (id === undefined) {
        id = add(`${text(left)} ${text(right)}`, PAIR);
        pairs.set(left * PAIR_BASE + right, id);
        parts.set(id, [left, right]);
      }
      return id;
    },
    findPair,
    isStop: (id) => (id < first ? (below?.isStop(id) ?? false) : flags[id - first] === STOP),
    isPair: (id) => (id < first ? (below?.isPair(id) ?? false) : flags[id - first] === PAIR),
    partsOf: (id) => (id < first ? below?.partsOf(id) : parts.get(id)),
    text,
  };
}

const STOP = 1;
const PAIR = 2;
