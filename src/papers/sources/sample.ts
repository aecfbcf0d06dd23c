import { join } from 'node:path';
import { utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import type { Source, SourceRequest } from '../source.ts';
import { readJsonLines } from './json-lines.ts';
import { looseListing } from './jsonl.ts';

/** The papers that come with Paperboy: real titles, authors and dates, summaries of our own. */
const FILE = join(import.meta.dirname, '../sample.jsonl');

/**
 * A small sample, for a first start without a network: listed as of `request.listedOn`, else of the UTC date of
 * `request.now`, under the source name `sample`, so that it is never taken for today's papers.
 */
export function createSampleSource(): Source {
  return { name: 'sample', read: readSample };
}

async function* readSample(request: SourceRequest): AsyncIterable<SourceItem> {
  const today = { ...request, listedOn: request.listedOn ?? utcDate(request.now) };
  for await (const line of readJsonLines(FILE))
    yield line.type === 'fault'
      ? line
      : looseListing('sample', line.row, today, { where: FILE, line: line.line });
}
