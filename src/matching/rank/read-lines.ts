import { type IsoDate, isoDate } from '#src/database/ids.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import type { Follow } from '#src/topics/topic.ts';

/** A paper of the `rank` command. */
export type RankPaper = {
  readonly id: string;
  readonly title: string;
  readonly abstract: string;
  readonly authors: readonly string[];
  readonly categories: readonly string[];
  readonly listed: IsoDate | null;
  /** In [0, 1]; 0 where none is given. */
  readonly trend: number;
};

/** A profile of the `rank` command; papers by their id. */
export type RankRequest = {
  readonly id: string;
  readonly phrase?: string;
  readonly likes: readonly string[];
  readonly dislikes: readonly string[];
  readonly follows: readonly Follow[];
  readonly mutes: readonly Follow[];
  readonly candidates?: readonly string[];
};

/** What a line holds, or what is wrong with it. */
export type Parsed<Value> =
  | { readonly type: 'ok'; readonly value: Value }
  | { readonly type: 'invalid'; readonly message: string };

type Fields = Readonly<Record<string, unknown>>;

/** Ids and phrases beyond this are refused rather than carried along. */
const ID_LIMIT = 200;
const PHRASE_LIMIT = 10_000;

/** Reads one line `{"id","title","abstract","authors"?,"categories"?,"listed"?,"trend"?}`. */
export function parsePaperLine(line: string): Parsed<RankPaper> {
  return parseLine(line, (fields, id) => ({
    id,
    title: text(fields, 'title') ?? '',
    abstract: text(fields, 'abstract') ?? '',
    authors: texts(fields, 'authors') ?? [],
    categories: texts(fields, 'categories') ?? [],
    listed: date(fields),
    trend: trend(fields),
  }));
}

/** Reads one line `{"id","phrase"?,"likes"?,"dislikes"?,"follows"?,"mutes"?,"candidates"?}`. */
export function parseProfileLine(line: string): Parsed<RankRequest> {
  return parseLine(line, (fields, id) => {
    const phrase = text(fields, 'phrase');
    const candidates = texts(fields, 'candidates');
    if (phrase && phrase.length > PHRASE_LIMIT)
      throw new Fault(`"phrase" is longer than ${PHRASE_LIMIT} characters`);
    return {
      id,
      likes: texts(fields, 'likes') ?? [],
      dislikes: texts(fields, 'dislikes') ?? [],
      follows: follows(fields, 'follows', 1),
      mutes: follows(fields, 'mutes', -1),
      ...(phrase ? { phrase } : {}),
      ...(candidates ? { candidates } : {}),
    };
  });
}

/** A fault of the input, said to who gave it. */
class Fault extends Error {}

function parseLine<Value>(line: string, read: (fields: Fields, id: string) => Value): Parsed<Value> {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
      throw new Fault('not a JSON object');
    const id = (fields as Fields)['id'];
    if ((typeof id !== 'string' && typeof id !== 'number') || id === '') throw new Fault('"id" is missing');
    if (String(id).length > ID_LIMIT) throw new Fault(`"id" is longer than ${ID_LIMIT} characters`);
    return { type: 'ok', value: read(fields as Fields, String(id)) };
  } catch (error) {
    if (error instanceof SyntaxError) return { type: 'invalid', message: `not JSON: ${error.message}` };
    if (error instanceof Fault) return { type: 'invalid', message: error.message };
    throw error;
  }
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Fault(`"${name}" must be a text`);
  return value;
}

function texts(fields: Fields, name: string): string[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const isText = (each: unknown): boolean => typeof each === 'string' || typeof each === 'number';
  if (!Array.isArray(value) || !value.every(isText)) throw new Fault(`"${name}" must be a list of texts`);
  return value.map(String);
}

function date(fields: Fields): IsoDate | null {
  const value = text(fields, 'listed');
  if (value === undefined) return null;
  try {
    return isoDate(value.slice(0, 10));
  } catch {
    throw new Fault(`"listed" must be a date such as 2026-01-31, not ${value.slice(0, 30)}`);
  }
}

function trend(fields: Fields): number {
  const value = fields['trend'] ?? 0;
  if (typeof value !== 'number' || value < 0 || value > 1)
    throw new Fault('"trend" must be a number from 0 to 1');
  return value;
}

function follows(fields: Fields, name: string, sign: 1 | -1): Follow[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Fault(`"${name}" must be a list of {"kind", "value", "weight"}`);
  return value.map((each: unknown, at) => follow(each, `${name}[${at}]`, sign));
}

function follow(value: unknown, where: string, sign: 1 | -1): Follow {
  const { kind, value: topic, weight = 1 } = (value ?? {}) as Record<string, unknown>;
  if (typeof kind !== 'string' || (topic !== undefined && typeof topic !== 'string'))
    throw new Fault(`${where} must be {"kind", "value", "weight"}`);
  if (typeof weight !== 'number' || !Number.isFinite(weight) || weight === 0 || Math.abs(weight) > 10)
    throw new Fault(`${where}.weight must be a number up to 10`);
  const parsed = parseTopic(kind, topic ?? '');
  if (parsed.type === 'invalid') throw new Fault(`${where}: ${parsed.message}`);
  return { ...parsed.topic, weight: sign * Math.abs(weight) };
}
