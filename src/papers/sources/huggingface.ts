import { readFile, stat } from 'node:fs/promises';
import type { SourceItem } from '../paper.ts';
import { fault, messageOf, type Source, type SourceRequest } from '../source.ts';
import { readEntry } from './huggingface-entry.ts';
import { dateInName, parseJson } from './json-lines.ts';

/** Bytes of a recorded answer at most; a day has 0.3 MB, a page of 100 less than 1 MB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The community's daily list of Hugging Face: recorded answers of `GET /api/daily_papers`. */
export function createHuggingFaceSource(): Source {
  return { name: 'huggingface', read: readRecorded };
}

async function* readRecorded(request: SourceRequest): AsyncIterable<SourceItem> {
  for (const file of request.files ?? []) yield* readAnswerFile(file, request);
}

async function* readAnswerFile(file: string, request: SourceRequest): AsyncIterable<SourceItem> {
  const answer = await jsonFile(file);
  if ('message' in answer) return yield fault(file, answer.message);
  if (!Array.isArray(answer.json))
    return yield fault(file, 'not an answer of daily_papers: a JSON array is expected');
  const day = dateInName(file) ?? request.listedOn;
  for (const [index, entry] of answer.json.entries())
    yield readEntry(entry, { where: file, index: index + 1, day });
}

async function jsonFile(file: string): Promise<{ json: unknown } | { message: string }> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) return { message: `${size} bytes: an answer has ${MAX_BYTES} at most` };
    const json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)));
    return json === undefined ? { message: 'not JSON' } : { json };
  } catch (error) {
    return { message: messageOf(error) };
  }
}
