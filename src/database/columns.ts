import { type RawBuilder, sql } from 'kysely';

/*
 * Many rows to and from PostgreSQL a column at a time. A parameter or a result per value costs both sides a multiple of
 * what splitting one long text does.
 */

/**
 * Begins a statement that runs often and is always the same but for its parameters: each connection then parses and
 * plans it once (openDatabase names it for the server). No such statement may say `*`: a column that a later migration
 * adds would change what the server has prepared.
 */
export const PREPARED = sql.raw('/* prepared */ ');

/** Numbers as one parameter of type `bigint[]`; undefined is null. */
export const bigints = (values: readonly (number | undefined)[]): RawBuilder<unknown> =>
  sql`${`{${values.map((value) => value ?? 'null').join(',')}}`}::bigint[]`;

/** Texts as one parameter and a set of rows; '' and undefined are null, line ends become spaces. */
export const texts = (values: readonly (string | undefined)[]): RawBuilder<unknown> =>
  sql`string_to_table(${values.map(oneLine).join('\n')}, E'\n', '')`;

const oneLine = (value = ''): string => (value.includes('\n') ? value.replaceAll('\n', ' ') : value);

/** All values of a `bigint` column as one text for {@link splitIds}. */
export const joinedIds = sql<string | null>`string_agg(id::text, ',')`;

const COMMA = 0x2c;
const ZERO = 0x30;

/** Reads {@link joinedIds}, digit by digit: splitting the text and making a number of each piece costs a multiple. */
export function splitIds<Id extends number>(joined: string | null | undefined): Id[] {
  const ids: Id[] = [];
  if (!joined) return ids;
  let id = 0;
  for (let at = 0; at < joined.length; at++) {
    const code = joined.charCodeAt(at);
    if (code === COMMA) {
      ids.push(id as Id);
      id = 0;
    } else id = id * 10 + (code - ZERO);
  }
  ids.push(id as Id);
  return ids;
}

/** Ids in ascending order as one parameter of type `int8multirange`: neighbours are one range. */
export function idRanges(ids: readonly number[]): RawBuilder<unknown> {
  const ranges: string[] = [];
  for (let at = 0; at < ids.length; ) {
    const from = ids[at] as number;
    let to = from;
    while (ids[++at] === to + 1) to += 1;
    ranges.push(`[${from},${to}]`);
  }
  return sql`${`{${ranges.join(',')}}`}::int8multirange`;
}
