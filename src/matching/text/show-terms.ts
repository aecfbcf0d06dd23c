import { lowerBound } from '../shared-terms.ts';
import type { LexicalIndex, Text } from './lexical-index.ts';
import { type Offsets, offsetsOf } from './tokens.ts';

/** Shows terms of a text as it spells them. */
export type TermSpeller = (position: number, terms: readonly number[]) => string[];

/** Numbers texts from 1, equal ones once: many are remembered in many places. */
export type TextNumbers = {
  numberOf(text: string): number;
  /** The text of a number that was given. */
  text(number: number): string;
};

/** Numbers for as many texts as come. */
export function createTextNumbers(): TextNumbers {
  const texts = [''];
  const numbers = new Map<string, number>();
  return {
    numberOf(text) {
      let number = numbers.get(text);
      if (number === undefined) numbers.set(text, (number = texts.push(text) - 1));
      return number;
    },
    text: (number) => texts[number] ?? '',
  };
}

/**
 * Builds a speller over the first texts of an index. Terms come in the order given, at most `limit`; a word that a
 * shown pair holds already is left out. Where words stand is looked up once a text, how it spells a term once.
 */
export function createTermSpeller(
  texts: readonly Text[],
  index: LexicalIndex,
  limit: number,
  numbers: TextNumbers,
): TermSpeller {
  const { starts, terms: rows } = index.rows;
  const offsets: (readonly [title: Offsets, abstract: Offsets])[] = [];
  const find = (position: number, term: number): string => {
    const [first, second] = index.vocabulary.partsOf(term) ?? [term];
    const { title, abstract } = texts[position] as Text;
    const { title: stems, body } = index.documents[position] as LexicalIndex['documents'][number];
    const [ofTitle, ofAbstract] = (offsets[position] ??= [offsetsOf(title), offsetsOf(abstract)]);
    return (
      spellTerm(title, stems, ofTitle, first, second) ??
      spellTerm(abstract, body, ofAbstract, first, second) ??
      ''
    );
  };
  // Beside the terms of the rows; 0 is not looked up yet.
  const spelled = new Uint32Array(starts[texts.length] ?? 0);
  const spell = (position: number, term: number): string => {
    const at = lowerBound(rows, term, starts[position] as number, starts[position + 1] as number);
    return numbers.text((spelled[at] ||= numbers.numberOf(find(position, term))));
  };
  const holds = (pair: number, term: number): boolean =>
    index.vocabulary.partsOf(pair)?.includes(term) ?? false;
  return (position, terms) => {
    let shown: number[] = [];
    for (const term of terms) {
      if (shown.some((other) => holds(other, term))) continue;
      if (index.vocabulary.isPair(term)) shown = shown.filter((other) => !holds(term, other));
      shown.push(term);
      if (shown.length === limit) break;
    }
    return shown.map((term) => spell(position, term));
  };
}

/** The first place in a text of a stem, or of two in a row, as it stands there. */
function spellTerm(
  text: string,
  stems: Int32Array,
  { starts, ends }: Offsets,
  first: number,
  second: number | undefined,
): string | undefined {
  for (let at = stems.indexOf(first); at >= 0; at = stems.indexOf(first, at + 1)) {
    if (second === undefined) return text.slice(starts[at], ends[at]);
    if (stems[at + 1] === second) return text.slice(starts[at], ends[at + 1]).replace(/\s+/g, ' ');
  }
  return undefined;
}

/** Wraps a way to terms so that what it gave lately is not sought again. */
export type TermMemory = (
  terms: (position: number) => readonly string[],
) => (position: number) => readonly string[];

/** Lists of terms remembered at most, of all that were wrapped together, and for each paper: powers of two. */
const REMEMBERED = 2 ** 18;
const REMEMBERED_EACH = 2 ** 7;
/** Numbers of a remembered list: who wrapped it, the position, and its terms, 0 where there are fewer than three. */
const FIELDS = 5;

/**
 * A memory of the terms shown of so many papers, three at most. A flat array (5 MB), since as many lists in a map were 35 MB of objects, and made as
 * much garbage wait. A list has two places: a new one takes the first, and what stood there goes on to the second.
 */
export function createTermMemory(papers: number, numbers: TextNumbers): TermMemory {
  const places = Math.min(REMEMBERED, 2 ** Math.ceil(Math.log2(Math.max(1, papers))) * REMEMBERED_EACH);
  const lists = new Uint32Array(places * FIELDS);
  const isAt = (from: number, owner: number, position: number): boolean =>
    lists[from] === owner && lists[from + 1] === position;
  const put = (from: number, owner: number, position: number, terms: readonly string[]): void => {
    lists.copyWithin(from + FIELDS, from, from + FIELDS);
    lists[from] = owner;
    lists[from + 1] = position;
    for (let at = 0; at + 2 < FIELDS; at += 1)
      lists[from + 2 + at] = at < terms.length ? numbers.numberOf(terms[at] as string) : 0;
  };
  const read = (from: number): readonly string[] => {
    const [first, second, third] = [lists[from + 2], lists[from + 3], lists[from + 4]] as [
      number,
      number,
      number,
    ];
    if (first === 0) return NONE;
    if (second === 0) return [numbers.text(first)];
    if (third === 0) return [numbers.text(first), numbers.text(second)];
    return [numbers.text(first), numbers.text(second), numbers.text(third)];
  };
  let wrapped = 0;
  return (terms) => {
    wrapped += 1;
    const owner = wrapped;
    return (position) => {
      const from = placeOf(owner, position, places) * FIELDS;
      if (isAt(from, owner, position)) return read(from);
      if (isAt(from + FIELDS, owner, position)) return read(from + FIELDS);
      put(from, owner, position, terms(position));
      return read(from);
    };
  };
}

/** An even place below a power of two. Odd constants near 2^32 / golden ratio spread neighbouring numbers (Knuth, TAOCP 3, 6.4). */
function placeOf(owner: number, position: number, places: number): number {
  const mixed = Math.imul(owner, 0x9e3779b1) ^ Math.imul(position, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & (places - 2);
}

const NONE: readonly string[] = [];
