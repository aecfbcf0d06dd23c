import { addDays, utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type Source, type SourceRequest } from '../source.ts';
import { lineOf } from '../text.ts';
import { readDetails } from './biorxiv-entry.ts';
import { fetchChanged, type Network } from './fetch.ts';
import { type Fields, isFields } from './loose-record.ts';
import { jsonOf, readRecorded, recordedCall } from './recorded-file.ts';

/** Answers of one interval at most: a guard against a cursor that leads in circles. 100 records each. */
const MAX_PARTS = 2000;

/**
 * bioRxiv or medRxiv by date, through the details API. Live: the days from `from` (default: two days before `to`, for
 * records appear late) to `to` (default: today). From files: recorded answers, or the `collection` of one by itself.
 */
export function createBiorxivSource(
  server: 'biorxiv' | 'medrxiv',
  network: Network | null,
  base: string,
): Source {
  return {
    name: server,
    read: (request) =>
      request.files ? readFiles(request.files, request) : readLive(network, `${base}/${server}`, request),
  };
}

async function* readFiles(files: readonly string[], request: SourceRequest): AsyncIterable<SourceItem> {
  for (const file of files) {
    const recorded = await readRecorded(file);
    if ('message' in recorded) yield fault(file, recorded.message);
    else yield* readAnswer(recordedCall(recorded.body)?.body ?? recorded.body, file, request).items;
  }
}

async function* readLive(
  network: Network | null,
  base: string,
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  if (!network) return yield fault(base, 'no network here: name recorded files');
  const to = request.to ?? utcDate(request.now);
  const from = request.from ?? addDays(to, -2);
  let cursor = 0;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const url = `${base}/${from}/${to}/${cursor}/json`;
    const fetched = await fetchChanged(network, url, 'application/json');
    if (fetched.type === 'fault') return yield fetched.item;
    if (fetched.type === 'unchanged') return;
    const answer = readAnswer(fetched.body, url, request);
    yield* answer.items;
    cursor += answer.count;
    if (answer.count === 0 || cursor >= answer.total) return;
  }
  yield fault(base, `more than ${MAX_PARTS} parts`);
}

/** `total` counts the records of the whole interval, `count` those of this answer. */
type Answer = { readonly items: readonly SourceItem[]; readonly count: number; readonly total: number };

function readAnswer(body: Buffer, where: string, request: SourceRequest): Answer {
  const json = jsonOf(body);
  const collection = Array.isArray(json) ? json : isFields(json) ? json['collection'] : undefined;
  if (!Array.isArray(collection))
    return {
      items: [fault(where, 'not an answer of the details API: "collection" is expected')],
      count: 0,
      total: 0,
    };
  const context = { where, day: utcDate(request.now), observedAt: request.now, live: !request.files };
  const items = collection.map((entry, index) => readDetails(entry, { ...context, position: index + 1 }));
  return { items, count: collection.length, total: totalOf(json) };
}

function totalOf(json: unknown): number {
  const messages = isFields(json) && Array.isArray(json['messages']) ? json['messages'] : [];
  const message: Fields = isFields(messages[0]) ? messages[0] : {};
  return Number(lineOf(message['total']) ?? message['total'] ?? 0);
}
