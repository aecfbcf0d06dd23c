import type { IsoDate } from '#src/database/ids.ts';

/**
 * A saved query, parsed. Nodes below `and` and `or` number two or more; `not` stands only inside `and`.
 * Texts of `word`, `phrase` and `title` are as typed: matching analyses them like it analyses papers.
 */
export type QueryNode =
  | { readonly type: 'and'; readonly nodes: readonly QueryNode[] }
  | { readonly type: 'or'; readonly nodes: readonly QueryNode[] }
  | { readonly type: 'not'; readonly node: QueryNode }
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'phrase'; readonly text: string }
  | { readonly type: 'title'; readonly text: string }
  | { readonly type: 'author'; readonly name: string }
  | { readonly type: 'category'; readonly pattern: string }
  | { readonly type: 'organisation'; readonly name: string }
  | { readonly type: 'after'; readonly date: IsoDate };

/**
 * What a reader's query asks for. `text`: bare words only, ranked softly by how well papers fit ·
 * `filter`: with operators, a paper matches or does not.
 */
export type Query =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'filter'; readonly root: QueryNode };

/** A mistake in a query: what is wrong and how to mend it. */
export type QueryMistake = {
  readonly type: 'invalid';
  /** 1-based position of the character in the text where the mistake was seen. */
  readonly position: number;
  /** One sentence with the fix; speaks of the position too. */
  readonly message: string;
};

/** Bounds of a query: what keeps a hostile one harmless. */
export const QUERY_LIMITS = {
  /** Characters of the whole text (UTF-16 units). */
  characters: 500,
  /** Words, phrases and fields together. */
  terms: 32,
  /** Brackets in brackets. */
  depth: 8,
} as const;

/** The words for what a query looks for on the positive side, `not` parts left out: used to rank its matches. */
export function positiveText(node: QueryNode): string[] {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.nodes.flatMap(positiveText);
    case 'word':
    case 'phrase':
    case 'title':
      return [node.text];
    case 'not':
    case 'author':
    case 'category':
    case 'organisation':
    case 'after':
      return [];
  }
}

/** The words that papers are ranked by how well they fit; empty where the query has none. */
export const rankedText = (query: Query): string =>
  query.type === 'text' ? query.text : positiveText(query.root).join(' ');

/**
 * The canonical text of a query: the same for every way of typing the same thing (case, spaces, superfluous
 * brackets). `parseQuery(formatQuery(query))` is `query` again.
 */
export function formatQuery(query: Query): string {
  return query.type === 'text' ? query.text : formatNode(query.root, 'top');
}

function formatNode(node: QueryNode, within: 'top' | 'and' | 'not'): string {
  switch (node.type) {
    case 'and':
      return bracket(node.nodes.map((each) => formatNode(each, 'and')).join(' '), within === 'not');
    case 'or':
      return bracket(node.nodes.map((each) => formatNode(each, 'top')).join(' OR '), within !== 'top');
    case 'not':
      return `-${formatNode(node.node, 'not')}`;
    case 'word':
      return node.text;
    case 'phrase':
      return `"${node.text}"`;
    case 'title':
      return `title:${quoted(node.text)}`;
    case 'author':
      return `author:${quoted(node.name)}`;
    case 'organisation':
      return `org:${quoted(node.name)}`;
    case 'category':
      return `cat:${node.pattern}`;
    case 'after':
      return `after:${node.date}`;
  }
}

const bracket = (text: string, needed: boolean): string => (needed ? `(${text})` : text);
const quoted = (text: string): string => (/^[^\s"()]+$/.test(text) ? text : `"${text}"`);
