import { isoDate } from '#src/database/ids.ts';
import { parseCategory } from '../category.ts';
import { closest } from '../closest.ts';
import { cleanName } from '../names.ts';
import { FIELD_NAMES, fieldOf, type QueryField } from './field-names.ts';
import type { QueryMistake, QueryNode } from './query.ts';
import type { QueryToken } from './tokens.ts';
import { squeeze } from './tokens.ts';

type FieldToken = Extract<QueryToken, { type: 'field' }>;

/** The names shown in messages. */
const SHOWN = ['author:', 'cat:', 'org:', 'title:', 'after:'];

/** What one `field:value` asks for, or the mistake in it. */
export function parseField(token: FieldToken): QueryNode | QueryMistake {
  const field = fieldOf(token.field);
  if (!field) return unknownField(token);
  if (token.text === '')
    return mistake(
      token.valuePosition,
      `${token.field}: needs a value right after the colon, ${EXAMPLES[field]}`,
    );
  switch (field) {
    case 'author':
    case 'organisation': {
      const name = cleanName(token.text);
      if (name.type === 'invalid') return mistake(token.valuePosition, name.message);
      return { type: field, name: name.name };
    }
    case 'title':
      return /[\p{L}\p{N}]/u.test(token.text)
        ? { type: 'title', text: squeeze(token.text).toLowerCase() }
        : mistake(token.valuePosition, 'title: needs a word, such as title:survey');
    case 'category': {
      const category = parseCategory(token.text);
      return category.type === 'ok'
        ? { type: 'category', pattern: category.pattern }
        : mistake(token.valuePosition, category.message);
    }
    case 'after':
      return parseAfter(token);
  }
}

function parseAfter(token: FieldToken): QueryNode | QueryMistake {
  try {
    return { type: 'after', date: isoDate(token.text) };
  } catch {
    return mistake(token.valuePosition, 'after: needs a date as year-month-day, such as after:2026-01-31');
  }
}

function unknownField(token: FieldToken): QueryMistake {
  const near = closest(token.field.toLowerCase(), FIELD_NAMES.keys());
  const fix = near ? `write ${near}:` : `there are ${SHOWN.join(', ')}`;
  return mistake(
    token.position,
    `there is no field "${token.field}:"; ${fix}, or put the text in quotation marks to look for it as it stands`,
  );
}

const EXAMPLES: Readonly<Record<QueryField, string>> = {
  author: 'such as author:"Ada Lovelace"',
  category: 'such as cat:cs.CL',
  organisation: 'such as org:"ETH Zurich"',
  title: 'such as title:survey',
  after: 'such as after:2026-01-31',
};

function mistake(position: number, message: string): QueryMistake {
  return { type: 'invalid', position, message: `character ${position}: ${message}` };
}
