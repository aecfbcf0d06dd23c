import { categoryMatches } from '#src/topics/category.ts';
import { fold, nameTokens, sameAuthor } from '#src/topics/names.ts';
import type { QueryNode } from '#src/topics/query/query.ts';
import type { LexicalIndex } from './text/lexical-index.ts';
import { stemsOf } from './text/tokens.ts';
import type { MatchingPaper } from './types.ts';

/** Papers with the parts that filters look at, prepared once. Positions are those of `papers`. */
export type Filters = {
  /** Positions of the papers that match a query, ascending. */
  query(root: QueryNode): number[];
  /** Positions of papers in a category (`cs.CL`, `cs.*`), ascending. */
  category(pattern: string): number[];
  author(name: string): number[];
  organisation(name: string): number[];
};

/** Prepares filters over `papers`, whose texts `index` holds at the same positions. */
export function createFilters(papers: readonly MatchingPaper[], index: LexicalIndex): Filters {
  const authors = createNameIndex(papers);
  const organisations = papers.map(({ organisation }) =>
    organisation ? ` ${nameTokens(organisation).join(' ')} ` : '',
  );
  const where = (test: (paper: MatchingPaper, at: number) => boolean): Uint8Array =>
    Uint8Array.from(papers, (paper, at) => (test(paper, at) ? 1 : 0));
  const byCategory = holdersOf(papers.map(({ categories }) => categories));
  const inCategory = (pattern: string) => {
    const found = new Uint8Array(papers.length);
    for (const [category, holders] of byCategory)
      if (categoryMatches(pattern, category)) for (const at of holders) found[at] = 1;
    return found;
  };
  const ofOrganisation = (name: string) => {
    const words = ` ${nameTokens(name).join(' ')} `;
    return where((_, at) => (organisations[at] as string).includes(words));
  };
  const evaluate = (node: QueryNode): Uint8Array => {
    switch (node.type) {
      case 'and':
        return combine(node.nodes.map(evaluate), (a, b) => a & b);
      case 'or':
        return combine(node.nodes.map(evaluate), (a, b) => a | b);
      case 'not':
        return evaluate(node.node).map((found) => 1 - found);
      case 'word':
      case 'phrase':
        return phrase(node.text, index, papers.length, 'anywhere');
      case 'title':
        return phrase(node.text, index, papers.length, 'title');
      case 'author':
        return authors(node.name);
      case 'organisation':
        return ofOrganisation(node.name);
      case 'category':
        return inCategory(node.pattern);
      case 'after':
        return where(({ listedOn }) => listedOn !== null && listedOn > node.date);
    }
  };
  return {
    query: (root) => positions(evaluate(root)),
    category: (pattern) => positions(inCategory(pattern)),
    author: (name) => positions(authors(name)),
    organisation: (name) => positions(ofOrganisation(name)),
  };
}

function combine(parts: readonly Uint8Array[], join: (a: number, b: number) => number): Uint8Array {
  return parts.reduce((left, right) => left.map((value, at) => join(value, right[at] as number)));
}

function positions(found: Uint8Array): number[] {
  const result: number[] = [];
  for (let at = 0; at < found.length; at += 1) if (found[at] === 1) result.push(at);
  return result;
}

/** For each value the positions of the lists that hold it, ascending. */
function holdersOf(lists: readonly (readonly string[])[]): Map<string, number[]> {
  const holders = new Map<string, number[]>();
  lists.forEach((list, at) => {
    for (const value of new Set(list)) {
      const found = holders.get(value);
      if (found) found.push(at);
      else holders.set(value, [at]);
    }
  });
  return holders;
}

/** Papers by the parts of their authors' names, so that a name is compared with few. */
function createNameIndex(papers: readonly MatchingPaper[]): (name: string) => Uint8Array {
  const names = papers.map(({ authors }) => authors.map(nameTokens));
  const byToken = holdersOf(names.map((authors) => authors.flat()));
  return (name) => {
    const wanted = nameTokens(name);
    const result = new Uint8Array(papers.length);
    // The family name is written out on both sides, and is the first or the last part.
    for (const token of [wanted.at(-1), wanted[0]])
      for (const at of byToken.get(token ?? '') ?? [])
        if (names[at]?.some((author) => sameAuthor(wanted, author))) result[at] = 1;
    return result;
  };
}

function phrase(text: string, index: LexicalIndex, size: number, part: 'anywhere' | 'title'): Uint8Array {
  const result = new Uint8Array(size);
  const stems = stemsOf(text).map((stem) => index.vocabulary.findStem(stem));
  if (stems.length === 0 || stems.includes(undefined)) return result;
  for (let at = 0; at < size; at += 1) {
    const document = index.documents[at];
    if (!document) continue;
    if (holds(document.title, stems) || (part === 'anywhere' && holds(document.body, stems))) result[at] = 1;
  }
  return result;
}

function holds(text: Int32Array, stems: readonly (number | undefined)[]): boolean {
  const [first] = stems;
  for (let at = text.indexOf(first as number); at >= 0; at = text.indexOf(first as number, at + 1)) {
    let length = 1;
    while (length < stems.length && text[at + length] === stems[length]) length += 1;
    if (length === stems.length) return true;
  }
  return false;
}

/** The author of a paper that a followed name stands for, as the paper writes it. */
export function matchingAuthor(paper: MatchingPaper, name: string): string | undefined {
  const wanted = nameTokens(name);
  return paper.authors.find((author) => sameAuthor(wanted, nameTokens(author)));
}

/** Titles that are the same work under two identities fold to the same key. */
export const titleKey = (title: string): string => fold(title).replace(/[^\p{L}\p{N}]+/gu, '');
