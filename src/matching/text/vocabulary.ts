import { createPairTable } from './pair-table.ts';
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

/**
 * A new vocabulary: empty, or on top of another one, whose numbers stay valid. The one below must not grow any more.
 */
export function createVocabulary(below?: Vocabulary): Vocabulary {
  const first = below?.size ?? 0;
  const stems = new Map<string, number>();
  const pairs = createPairTable();
  // By number, less `first`: a stem's text, or the stems of a pair.
  const terms: (string | readonly [number, number])[] = [];
  const stops: boolean[] = [];
  const add = (term: string | readonly [number, number]): number => {
    stops.push(typeof term === 'string' && STOP_STEMS.has(term));
    return first + terms.push(term) - 1;
  };
  const findStem = (stem: string): number | undefined => below?.findStem(stem) ?? stems.get(stem);
  const findPair = (left: number, right: number): number | undefined =>
    below?.findPair(left, right) ?? pairs.get(left, right);
  const partsOf = (id: number): readonly [number, number] | undefined => {
    if (id < first) return below?.partsOf(id);
    const term = terms[id - first];
    return typeof term === 'object' ? term : undefined;
  };
  const text = (id: number): string => {
    if (id < first) return below?.text(id) ?? '';
    const term = terms[id - first];
    return typeof term === 'object' ? `${text(term[0])} ${text(term[1])}` : (term ?? '');
  };
  return {
    get size() {
      return first + terms.length;
    },
    stem(stem) {
      let id = findStem(stem);
      if (id === undefined) stems.set(stem, (id = add(stem)));
      return id;
    },
    findStem,
    pair(left, right) {
      let id = findPair(left, right);
      if (id === undefined) pairs.set(left, right, (id = add([left, right])));
      return id;
    },
    findPair,
    isStop: (id) => (id < first ? (below?.isStop(id) ?? false) : stops[id - first] === true),
    isPair: (id) => partsOf(id) !== undefined,
    partsOf,
    text,
  };
}
