import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import type { SourceItem } from '../paper.ts';
import { fault, messageOf, type Source, type SourceRequest } from '../source.ts';
import { looseListing } from './jsonl.ts';
import { isFields } from './loose-record.ts';

/** Characters of one record at most. */
const MAX_RECORD = 1_000_000;

/**
 * CSV (RFC 4180, UTF-8, `,` or `;` or tab between) with a header line: the columns are those of JSON lines, see
 * `createJsonlSource`. A row that can't be read is a fault (told
 * as soon as it is met, which may be before the rows ahead of it) and reading goes on where the format allows it.
 */
export function createCsvSource(): Source {
  return { name: 'csv', read: readFiles };
}

async function* readFiles(request: SourceRequest): AsyncIterable<SourceItem> {
  if (!request.files?.length) yield fault('csv', 'name the files to read: ingest csv FILE…');
  for (const file of request.files ?? []) yield* readCsv(file, request);
}

async function* readCsv(file: string, request: SourceRequest): AsyncIterable<SourceItem> {
  const skipped: SourceItem[] = [];
  const rows = parse({
    bom: true,
    columns: (names: string[]) => names.map((name) => name.trim()),
    delimiter: [',', ';', '\t'],
    info: true,
    max_record_size: MAX_RECORD,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      skipped.push(fault(file, error?.message ?? 'not a row', error?.lines as number | undefined));
      return undefined;
    },
  });
  const stream = createReadStream(file);
  stream.on('error', (error) => rows.destroy(error));
  try {
    for await (const row of stream.pipe(rows) as AsyncIterable<unknown>) {
      yield* skipped.splice(0);
      if (isCsvRow(row))
        yield looseListing('csv', row.record, request, { where: file, line: row.info.lines });
    }
  } catch (error) {
    yield fault(file, messageOf(error));
  }
  yield* skipped;
}

type CsvRow = { record: Record<string, unknown>; info: { lines: number } };

function isCsvRow(row: unknown): row is CsvRow {
  return isFields(row) && isFields(row['record']);
}
