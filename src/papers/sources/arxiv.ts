import { basename } from 'node:path';
import { type IsoDate, utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type Source, type SourceRequest } from '../source.ts';
import { OWN_ADDRESSES, type SourceAddresses } from './addresses.ts';
import { readFeeds } from './arxiv-feed.ts';
import { readHarvest } from './arxiv-harvest.ts';
import { readListingPage } from './arxiv-listing-page.ts';
import { readListingDay } from './arxiv-listings.ts';
import { readQuery } from './arxiv-query.ts';
import { type ArxivAnswer, readArxivXml } from './arxiv-xml.ts';
import type { Network } from './fetch.ts';
import { dateInName, startOfDay } from './json-lines.ts';
import type { ReadContext } from './read-context.ts';
import { readRecorded, recordedCall } from './recorded-file.ts';

/** Bytes that tell the form of a file. */
const HEAD = 512;

/**
 * arXiv. Live: the latest announcement feeds of the configured categories; with a `from` in the past a harvest of the
 * days since by OAI-PMH as well; with a `query` what the API finds. From files: any recorded answer (Atom of the API, also as `{url, status_code, body}`; Atom and RSS
 * of the announcements; OAI-PMH; the page `/list/…/new`) and JSON lines of announcements, told by their content.
 */
export function createArxivSource(
  network: Network | null,
  categories: readonly string[],
  addresses: SourceAddresses = OWN_ADDRESSES,
): Source {
  return {
    name: 'arxiv',
    read: (request) =>
      request.files
        ? readFiles(request.files, request)
        : readLive(network, { categories, addresses }, request),
  };
}

async function* readLive(
  network: Network | null,
  asked: { readonly categories: readonly string[]; readonly addresses: SourceAddresses },
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  if (!network) return yield fault('arxiv', 'no network here: name recorded files');
  const { categories, addresses } = asked;
  const { query, limit } = request;
  if (query !== undefined)
    return yield* readQuery(network, { query, limit }, request, `${addresses.arxivApi}/api/query`);
  const today = utcDate(request.now);
  const from = request.from ?? request.to ?? today;
  const to = request.to ?? today;
  // The feeds hold the latest announcement only; what was missed comes by harvest.
  if (from < today) yield* readHarvest(network, { from, to, categories }, request, addresses.arxivOai);
  if (to >= today) yield* readFeeds(network, categories, request, addresses.arxivFeeds);
}

async function* readFiles(files: readonly string[], request: SourceRequest): AsyncIterable<SourceItem> {
  for (const file of files) yield* readFile(file, request);
}

async function* readFile(file: string, request: SourceRequest): AsyncIterable<SourceItem> {
  if (/\.(jsonl|ndjson)(\.gz)?$/.test(basename(file))) return yield* readListingDay(file, request.listedOn);
  const recorded = await readRecorded(file);
  if ('message' in recorded) return yield fault(file, recorded.message);
  const day = dateInName(file) ?? request.listedOn;
  const context = contextOf(file, day, request);
  const head = recorded.body
    .subarray(0, HEAD)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (head.startsWith('{')) return yield* readRecordedCall(recorded.body, context);
  if (/^(<!doctype html|<html)/i.test(head)) return yield* readListingPage(recorded.body, context);
  if (head.startsWith('<')) return yield* complete(recorded.body, context);
  yield fault(file, 'neither XML, HTML nor JSON of arXiv');
}

function contextOf(where: string, day: IsoDate | undefined, { now }: SourceRequest): ReadContext {
  const begin = day ? startOfDay(day) : now;
  return { where, day: day ?? utcDate(now), observedAt: begin < now ? begin : now };
}

/** XML that must hold something: an answer with no paper and no error is said to be one. */
function* complete(body: Buffer, context: ReadContext): Iterable<SourceItem> {
  const answer: ArxivAnswer = { entries: 0 };
  yield* readArxivXml(body, context, answer);
}

/** A recorded call `{url, status_code, body}`, or a single JSON line in a file of another name. */
function* readRecordedCall(body: Buffer, context: ReadContext): Iterable<SourceItem> {
  const call = recordedCall(body);
  if (!call)
    return yield fault(context.where, 'not a recorded call: {"url", "status_code", "body"} is expected');
  yield* complete(call.body, context);
}
