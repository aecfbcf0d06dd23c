import { fieldOf } from './field-names.ts';
import type { QueryMistake } from './query.ts';

/** A piece of a query's text; `position` is 1-based. */
export type QueryToken = { readonly position: number } & (
  | { readonly type: 'open' | 'close' | 'or' | 'not' }
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'phrase'; readonly text: string }
  | {
      readonly type: 'field';
      readonly field: string;
      readonly text: string;
      /** Where the value stands, 1-based. */
      readonly valuePosition: number;
    }
);

/** Quotation marks that editors and telephones put in place of `"`. */
const QUOTES = /[“”„‟«»″]/g;
const SPACE = /\s/u;
const FIELD_NAME = /^[A-Za-z]+$/;

/**
 * Cuts a query into tokens, in one pass over its characters (no backtracking).
 * `word:` at the end of a word is punctuation ("LLMs: a survey") unless it names a field; so is a hyphen between spaces.
 */
export function tokenizeQuery(source: string): QueryToken[] | QueryMistake {
  const text = source.replace(QUOTES, '"');
  const tokens: QueryToken[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at] as string;
    if (SPACE.test(character) || isDash(text, at)) at += 1;
    else if (character === '(' || character === ')') {
      tokens.push({ type: character === '(' ? 'open' : 'close', position: at + 1 });
      at += 1;
    } else if (character === '-' || character === '−') {
      tokens.push({ type: 'not', position: at + 1 });
      at += 1;
    } else {
      const piece = character === '"' ? readPhrase(text, at) : readWord(text, at);
      if ('message' in piece) return piece;
      tokens.push(piece.token);
      at = piece.end;
    }
  }
  return tokens;
}

const isDash = (text: string, at: number): boolean =>
  /[-−–—]/.test(text[at] as string) &&
  at > 0 &&
  SPACE.test(text[at - 1] as string) &&
  SPACE.test(text[at + 1] ?? ' ');

type Piece = { readonly token: QueryToken; readonly end: number };

function readPhrase(text: string, start: number): Piece | QueryMistake {
  const end = text.indexOf('"', start + 1);
  if (end < 0)
    return {
      type: 'invalid',
      position: start + 1,
      message: `character ${start + 1}: this quotation mark is never closed; add a second " after the phrase`,
    };
  const phrase = squeeze(text.slice(start + 1, end));
  if (!/[\p{L}\p{N}]/u.test(phrase))
    return {
      type: 'invalid',
      position: start + 1,
      message: `character ${start + 1}: this phrase is empty; write words between the quotation marks or remove them`,
    };
  return { token: { type: 'phrase', text: phrase, position: start + 1 }, end: end + 1 };
}

function readWord(text: string, start: number): Piece | QueryMistake {
  let end = start;
  while (end < text.length && !SPACE.test(text[end] as string) && !'()"'.includes(text[end] as string)) {
    if (text[end] === ':' && FIELD_NAME.test(text.slice(start, end))) return readField(text, start, end);
    end += 1;
  }
  const word = text.slice(start, end);
  const position = start + 1;
  if (word === 'OR' || word === '|') return { token: { type: 'or', position }, end };
  if (word === 'NOT') return { token: { type: 'not', position }, end };
  return { token: { type: 'word', text: word, position }, end };
}

function readField(text: string, start: number, colon: number): Piece | QueryMistake {
  const field = text.slice(start, colon);
  const valueStart = colon + 1;
  if (text[valueStart] === '"') {
    const phrase = readPhrase(text, valueStart);
    if ('message' in phrase || phrase.token.type !== 'phrase') return phrase;
    const token = {
      type: 'field',
      field,
      text: phrase.token.text,
      position: start + 1,
      valuePosition: colon + 2,
    } as const;
    return { token, end: phrase.end };
  }
  let end = valueStart;
  while (end < text.length && !SPACE.test(text[end] as string) && !'()"'.includes(text[end] as string))
    end += 1;
  const value = text.slice(valueStart, end);
  if (value === '' && !fieldOf(field))
    return { token: { type: 'word', text: field, position: start + 1 }, end };
  return { token: { type: 'field', field, text: value, position: start + 1, valuePosition: colon + 2 }, end };
}

/** Runs of white space as one space, none at the ends. */
export const squeeze = (text: string): string => text.replace(/\s+/gu, ' ').trim();
