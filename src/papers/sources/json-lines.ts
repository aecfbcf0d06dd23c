import { basename } from 'node:path';
import { type IsoDate, isoDate } from '#src/database/ids.ts';
import type { SourceFault } from '../paper.ts';
import { type Fields, isFields } from './loose-record.ts';
import { readLines } from './read-lines.ts';

/** A JSON object of a JSON-lines file, or a fault. */
export type JsonLine =
  | { readonly type: 'row'; readonly row: Fields; readonly line: number }
  | { readonly type: 'fault'; readonly fault: SourceFault };

/** Reads JSON objects, one a line, gzipped or plain. A line that is none is a fault and reading goes on. */
export async function* readJsonLines(file: string): AsyncIterable<JsonLine> {
  for await (const line of readLines(file)) {
    if (line.type === 'fault')
      yield {
        type: 'fault',
        fault: { where: file, message: line.message, ...(line.number ? { line: line.number } : {}) },
      };
    else yield parseRow(file, line.text, line.number);
  }
}

function parseRow(where: string, text: string, line: number): JsonLine {
  const row = parseJson(text);
  return isFields(row)
    ? { type: 'row', row, line }
    : { type: 'fault', fault: { where, line, message: 'not a JSON object' } };
}

/** The JSON value of a text, undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The calendar date in a file's name (`2026-06-01.jsonl.gz`), if there is one. */
export function dateInName(file: string): IsoDate | undefined {
  const text = /(?:^|\D)(\d{4}-\d{2}-\d{2})(?:\D|$)/.exec(basename(file))?.[1];
  return text === undefined ? undefined : dateOf(text);
}

/** The calendar date a text starts with (`2026-6-1` also: some sources don't pad), else undefined. */
export function dateOf(value: unknown): IsoDate | undefined {
  const parts = typeof value === 'string' ? /^(\d{4})-(\d{1,2})-(\d{1,2})(?:\D|$)/.exec(value) : null;
  if (!parts) return undefined;
  try {
    return isoDate(`${parts[1]}-${parts[2]?.padStart(2, '0')}-${parts[3]?.padStart(2, '0')}`);
  } catch {
    return undefined;
  }
}

/** The instant a day begins in UTC: when a recorded day counts as seen, so that a replay gives the same result. */
export function startOfDay(day: IsoDate): Date {
  return new Date(`${day}T00:00:00Z`);
}
