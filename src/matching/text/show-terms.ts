import { offsetsOf } from './document.ts';
import type { LexicalIndex, Text } from './lexical-index.ts';

/** Shows terms of a text as it spells them. */
export type TermSpeller = (position: number, terms: readonly number[]) => string[];

/**
 * Builds a speller over the first texts of an index. Terms come in the order given, at most `limit`; a word that a
 * shown pair holds already is left out. Where words stand is looked up once a text.
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
  const spell = (position: number, term: number): string | undefined => {
    const [first, second] = index.vocabulary.partsOf(term) ?? [term];
    for (const { text, stems, offsets } of partsOf(position))
      for (let at = stems.indexOf(first); at >= 0; at = stems.indexOf(first, at + 1)) {
        if (second !== undefined && stems[at + 1] !== second) continue;
        const end = offsets.ends[second === undefined ? at : at + 1];
        return text.slice(offsets.starts[at], end).replace(/\s+/g, ' ');
      }
    return undefined;
  };
  return (position, terms) => {
    const shown: string[] = [];
    for (const term of terms) {
      const spelling = spell(position, term);
      if (spelling === undefined || shown.some((other) => holdsWord(other, spelling))) continue;
      const rest = shown.filter((other) => !holdsWord(spelling, other));
      shown.splice(0, shown.length, ...rest, spelling);
      if (shown.length === limit) break;
    }
    return shown;
  };
}

const holdsWord = (text: string, part: string): boolean =>
  ` ${text.toLowerCase()} `.includes(` ${part.toLowerCase()} `);
