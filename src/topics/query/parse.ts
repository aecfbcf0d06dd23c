import { parseField } from './fields.ts';
import {
  formatQuery,
  QUERY_LIMITS,
  type Query,
  type QueryMistake,
  type QueryNode,
  rankedText,
} from './query.ts';
import { type QueryToken, squeeze, tokenizeQuery } from './tokens.ts';

/** A query that was understood, with its canonical text, or the first mistake in it. */
export type ParsedQuery =
  | { readonly type: 'ok'; readonly query: Query; readonly canonical: string }
  | QueryMistake;

/**
 * Parses a saved query. Words stand for themselves; `"a phrase"`; `-not`; `author:`, `cat:`, `org:`, `title:`,
 * `after:`; `OR` between alternatives (binds weaker than the space, which means "and"); brackets.
 * Bare words alone are free text. Time is linear in the text, which {@link QUERY_LIMITS} bound.
 */
export function parseQuery(source: string): ParsedQuery {
  if (source.length > QUERY_LIMITS.characters)
    return mistake(
      QUERY_LIMITS.characters + 1,
      `the query has ${source.length} characters; at most ${QUERY_LIMITS.characters} are possible: shorten it or follow two queries`,
    );
  const tokens = tokenizeQuery(source.normalize('NFC'));
  if (!Array.isArray(tokens)) return tokens;
  if (tokens.length === 0) return mistake(1, 'the query is empty; write a few words to look for');
  const terms = tokens.filter(({ type }) => type === 'word' || type === 'phrase' || type === 'field');
  const beyond = terms[QUERY_LIMITS.terms];
  if (beyond)
    return mistake(
      beyond.position,
      `the query has ${terms.length} terms; at most ${QUERY_LIMITS.terms} are possible: leave some out or follow two queries`,
    );
  if (tokens.every(({ type }) => type === 'word')) return freeText(tokens);
  const root = parseTokens(tokens);
  if (root.type === 'invalid') return root;
  if (!looksForSomething(root))
    return mistake(
      1,
      'the query only leaves papers out; add at least one word, phrase, author or category to look for',
    );
  const words = bareWords(root);
  return bounded(words ? { type: 'text', text: words.join(' ') } : { type: 'filter', root });
}

/** The words of a query as text that papers are ranked by how well they fit; empty where it has none, or is no query. */
export function rankedTextOf(source: string): string {
  const parsed = parseQuery(source);
  return parsed.type === 'invalid' ? '' : rankedText(parsed.query);
}

/** The words of a query that is free text in spite of its brackets. */
function bareWords(root: QueryNode): string[] | undefined {
  if (root.type === 'word') return [root.text];
  if (root.type !== 'and') return undefined;
  const words = root.nodes.flatMap((node) => (node.type === 'word' ? [node.text] : []));
  return words.length === root.nodes.length ? words : undefined;
}

/** Lower case can be longer than what was typed: the canonical text keeps the bound too, so that it parses again. */
function bounded(query: Query): ParsedQuery {
  const canonical = formatQuery(query);
  return canonical.length <= QUERY_LIMITS.characters
    ? { type: 'ok', query, canonical }
    : mistake(
        1,
        `the query is longer than ${QUERY_LIMITS.characters} characters when written out: shorten it`,
      );
}

function freeText(tokens: readonly QueryToken[]): ParsedQuery {
  const words = tokens.map((token) => ('text' in token ? token.text : ''));
  const text = squeeze(words.join(' ')).toLowerCase();
  if (!/[\p{L}\p{N}]/u.test(text))
    return mistake(1, 'there is no word in this query; write a few words to look for');
  return bounded({ type: 'text', text });
}

type Cursor = { readonly tokens: readonly QueryToken[]; at: number; depth: number };

function parseTokens(tokens: readonly QueryToken[]): QueryNode | QueryMistake {
  const cursor: Cursor = { tokens, at: 0, depth: 0 };
  const root = parseOr(cursor);
  if (root.type === 'invalid') return root;
  const left = cursor.tokens[cursor.at];
  if (left)
    return mistake(left.position, 'this closing bracket has no opening one; remove it, or add ( before');
  return root;
}

function parseOr(cursor: Cursor): QueryNode | QueryMistake {
  const nodes: QueryNode[] = [];
  for (;;) {
    const node = parseAnd(cursor);
    if (node.type === 'invalid') return node;
    if (node.type === 'or') nodes.push(...node.nodes);
    else nodes.push(node);
    if (cursor.tokens[cursor.at]?.type !== 'or') break;
    cursor.at += 1;
  }
  return nodes.length === 1 ? (nodes[0] as QueryNode) : { type: 'or', nodes };
}

function parseAnd(cursor: Cursor): QueryNode | QueryMistake {
  const nodes: QueryNode[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (!token || token.type === 'or' || token.type === 'close') break;
    const node = parseUnary(cursor, token);
    if (node.type === 'invalid') return node;
    if (node.type === 'and') nodes.push(...node.nodes);
    else nodes.push(node);
  }
  if (nodes.length === 0) return nothingHere(cursor);
  return nodes.length === 1 ? (nodes[0] as QueryNode) : { type: 'and', nodes };
}

function nothingHere(cursor: Cursor): QueryMistake {
  const token = cursor.tokens[cursor.at];
  const before = cursor.tokens[cursor.at - 1];
  if (token?.type === 'or')
    return mistake(token.position, 'OR needs something before it; add a term or remove OR');
  if (before?.type === 'or')
    return mistake(before.position, 'OR needs something after it; add a term or remove OR');
  if (before?.type === 'open')
    return mistake(before.position, 'there is nothing in these brackets; fill or remove them');
  return mistake(token?.position ?? 1, 'this closing bracket has no opening one; remove it, or add ( before');
}

function parseUnary(cursor: Cursor, token: QueryToken): QueryNode | QueryMistake {
  if (token.type !== 'not') return parseAtom(cursor, token);
  cursor.at += 1;
  const next = cursor.tokens[cursor.at];
  if (!next || next.type === 'or' || next.type === 'close')
    return mistake(token.position, 'the minus needs something right after it, such as -survey');
  if (next.type === 'not') return mistake(next.position, 'two minus signs follow each other; remove one');
  const node = parseAtom(cursor, next);
  return node.type === 'invalid' ? node : { type: 'not', node };
}

function parseAtom(cursor: Cursor, token: QueryToken): QueryNode | QueryMistake {
  cursor.at += 1;
  switch (token.type) {
    case 'word':
      return token.text === 'AND' && cursor.at > 1 && parsesOn(cursor)
        ? skipAnd(cursor)
        : word(token.text, token.position);
    case 'phrase':
      return { type: 'phrase', text: token.text.toLowerCase() };
    case 'field':
      return parseField(token);
    case 'open':
      return parseBrackets(cursor, token.position);
    case 'close':
    case 'or':
    case 'not':
      return mistake(token.position, 'this can not stand here; remove it');
  }
}

const parsesOn = (cursor: Cursor): boolean => {
  const next = cursor.tokens[cursor.at];
  return next !== undefined && next.type !== 'or' && next.type !== 'close';
};

/** `AND` is what the space means already: it is read over. */
function skipAnd(cursor: Cursor): QueryNode | QueryMistake {
  return parseUnary(cursor, cursor.tokens[cursor.at] as QueryToken);
}

function word(text: string, position: number): QueryNode | QueryMistake {
  if (!/[\p{L}\p{N}]/u.test(text))
    return mistake(position, `"${text.slice(0, 20)}" holds no letter and no digit; remove it`);
  return { type: 'word', text: text.toLowerCase() };
}

function parseBrackets(cursor: Cursor, position: number): QueryNode | QueryMistake {
  if (cursor.depth >= QUERY_LIMITS.depth)
    return mistake(position, `brackets can be ${QUERY_LIMITS.depth} deep at most; write the query flatter`);
  cursor.depth += 1;
  const node = parseOr(cursor);
  cursor.depth -= 1;
  if (node.type === 'invalid') return node;
  if (cursor.tokens[cursor.at]?.type !== 'close')
    return mistake(position, 'this bracket is never closed; add ) after its last term');
  cursor.at += 1;
  return node;
}

/** False where every alternative, or one of them, only excludes: such a query would match nearly everything. */
function looksForSomething(node: QueryNode): boolean {
  switch (node.type) {
    case 'not':
    case 'after':
      return false;
    case 'and':
      return node.nodes.some(looksForSomething);
    case 'or':
      return node.nodes.every(looksForSomething);
    case 'word':
    case 'phrase':
    case 'title':
    case 'author':
    case 'category':
    case 'organisation':
      return true;
  }
}

function mistake(position: number, message: string): QueryMistake {
  return { type: 'invalid', position, message: `character ${position}: ${message}` };
}
