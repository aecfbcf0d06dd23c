import { createMemory } from '../memory.ts';
import { offsetsOf } from './document.ts';
import type { LexicalIndex, Text } from './lexical-index.ts';

/** Shows terms of a text as it spells them. */
export type TermSpeller = (position: number, terms: readonly number[]) => string[];

/**
 * Builds a speller over the first texts of an index. Terms come in the order given, at most `limit`; a word that a
 * shown pair holds already is left out. Where words stand is looked up once a text, how it spells a term once.
 */
export function createTermSpeller(texts: readonly Text[], index: LexicalIndex, limit: number): TermSpeller {
  const parts = new Map<
    number,
    readonly { text: string; stems: Int32Array; offsets: ReturnType<typeof offsetsOf> }[]
  >();
  const partsOf = (position: number) => {
    let known = parts.get(position);
    if (!known) {
      const { title, abstract } = texts[position] as Text;
      const { title: first, body: second } = index.documents[position] as LexicalIndex['documents'][number];
      known = [
        { text: title, stems: first, offsets: offsetsOf(title) },
        { text: abstract, stems: second, offsets: offsetsOf(abstract) },
      ];
      parts.set(position, known);
    }
    return known;
  };
  const find = (position: number, term: number): string | undefined => {
    const [first, second] = index.vocabulary.partsOf(term) ?? [term];
    for (const { text, stems, offsets } of partsOf(position))
      for (let at = stems.indexOf(first); at >= 0; at = stems.indexOf(first, at + 1)) {
        if (second !== undefined && stems[at + 1] !== second) continue;
        const end = offsets.ends[second === undefined ? at : at + 1];
        const found = text.slice(offsets.starts[at], end);
        return second === undefined ? found : found.replace(/\s+/g, ' ');
      }
    return undefined;
  };
  const spelled = texts.map(() => new Map<number, string | undefined>());
  const spell = (position: number, term: number): string | undefined => {
    const known = spelled[position] as Map<number, string | undefined>;
    let text = known.get(term);
    if (text === undefined && !known.has(term)) known.set(term, (text = find(position, term)));
    return text;
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
    // Copied, since an array that was built piece by piece keeps room for 17: many are remembered.
    return shown.flatMap((term) => spell(position, term) ?? []).slice();
  };
}

/** Wraps a way to terms so that what it gave lately is not sought again. */
export type TermMemory = (
  terms: (position: number) => readonly string[],
) => (position: number) => readonly string[];

/** Terms remembered at least, of all that were wrapped together. */
const REMEMBERED = 150_000;

/** A memory of the terms shown of so many papers. */
export function createTermMemory(papers: number): TermMemory {
  const known = createMemory<number, readonly string[]>(REMEMBERED);
  let wrapped = 0;
  return (terms) => {
    const first = papers * wrapped;
    wrapped += 1;
    return (position) => {
      let shown = known.get(first + position);
      if (!shown) known.set(first + position, (shown = terms(position)));
      return shown;
    };
  };
}
