import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { utcDate } from '#src/database/ids.ts';
import { titleKey } from '../identity.ts';
import type { SourceItem } from '../paper.ts';
import { fault, messageOf, type Source, type SourceRequest } from '../source.ts';
import { oneLine, storable } from '../text.ts';
import { readPageLayout } from './page-layout.ts';

/** Bytes of a captured page at most; real ones have 80–330 KB. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Captured Daily Papers pages, as plain text files. Papers have a title and an abstract and nothing else, so their
 * identity is the exact title; the file's name is the section. The header's date has no year and isn't the papers':
 * they are listed on `request.listedOn`, else on the day of reading.
 */
export function createPageSource(): Source {
  return { name: 'page', read: readPages };
}

async function* readPages(request: SourceRequest): AsyncIterable<SourceItem> {
  if (!request.files?.length) yield fault('page', 'name the captured pages to read: ingest page FILE…');
  for (const file of request.files ?? []) yield* readPage(file, request);
}

async function* readPage(file: string, request: SourceRequest): AsyncIterable<SourceItem> {
  const page = await pageText(file);
  if ('message' in page) return yield fault(file, page.message, page.line);
  const layout = readPageLayout(page.text);
  if (layout.type === 'unknown-layout')
    return yield fault(file, `unknown layout: ${layout.message}`, layout.line);
  for (const [index, { title, abstract }] of layout.entries.entries())
    yield {
      type: 'listing',
      listing: {
        source: 'page',
        listedOn: request.listedOn ?? utcDate(request.now),
        kind: 'daily',
        section: basename(file),
        position: index + 1,
        observedAt: request.now,
        paper: { sourceId: titleKey(title), title: oneLine(title), abstract: storable(abstract) },
      },
    };
}

type PageText = { text: string } | { message: string; line?: number };

async function pageText(file: string): Promise<PageText> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) return { message: `${size} bytes: a captured page has ${MAX_BYTES} at most` };
    return decode(await readFile(file));
  } catch (error) {
    return { message: messageOf(error) };
  }
}

/** Strict UTF-8: a page in another encoding would store mangled titles, and a mangled title is another paper. */
function decode(bytes: Buffer): PageText {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const lines = bytes.toString('latin1').split('\n');
    const bad = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
    return { message: 'not UTF-8 text', line: bad + 1 };
  }
}
