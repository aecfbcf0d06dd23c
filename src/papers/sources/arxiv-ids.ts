import { utcDate } from '#src/database/ids.ts';
import { arxivIdOf } from '../identity.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type Source, type SourceRequest } from '../source.ts';
import { readArxivXml } from './arxiv-xml.ts';
import { fetchChanged, type Network } from './fetch.ts';
import { readLines } from './read-lines.ts';

/** Ids in one request: a longer address is refused by some servers. */
const BATCH = 50;

/**
 * arXiv ids that a curator pasted, in any form (bare, addresses of abs, pdf or Hugging Face pages), from
 * `request.ids` or from text files; fetched from the arXiv API and listed on `request.listedOn`, else today.
 * An id that arXiv doesn't know is a fault.
 */
export function createArxivIdsSource(network: Network | null, base: string): Source {
  return { name: 'arxiv', read: (request) => readIds(network, base, request) };
}

async function* readIds(
  network: Network | null,
  base: string,
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  const ids = new Set<string>();
  for await (const { text, where, line } of words(request)) {
    const id = arxivIdOf(text);
    if (id) ids.add(id);
    else
      yield fault(
        where,
        `neither an arXiv identifier nor a file: ${JSON.stringify(text.slice(0, 100))}`,
        line,
      );
  }
  if (ids.size === 0) return yield fault('arxiv-ids', 'no arXiv identifiers given: ingest ids 2506.01234 …');
  if (!network) return yield fault('arxiv-ids', 'no network here to complete the ids');
  const all = [...ids];
  for (let start = 0; start < all.length; start += BATCH)
    yield* completed(network, base, all.slice(start, start + BATCH), request);
}

async function* words(request: SourceRequest): AsyncIterable<{ text: string; where: string; line?: number }> {
  for (const text of (request.ids ?? []).flatMap(split)) yield { text, where: 'the pasted text' };
  for (const file of request.files ?? [])
    for await (const line of readLines(file))
      if (line.type === 'line')
        for (const text of split(line.text)) yield { text, where: file, line: line.number };
      else yield { text: line.message, where: file };
}

const split = (text: string) =>
  text.split(/[\s,;]+/).filter((word) => word !== '' && !/^\[[\w.-]+\]$/.test(word));

async function* completed(
  network: Network,
  base: string,
  ids: readonly string[],
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  const url = `${base}?${new URLSearchParams({ id_list: ids.join(','), max_results: String(ids.length) }).toString()}`;
  const fetched = await fetchChanged(network, url, 'application/atom+xml');
  if (fetched.type === 'fault' && fetched.status !== 400) return yield fetched.item;
  if (fetched.type === 'unchanged' || !fetched.body) return;
  const missing = new Set(ids);
  const context = { where: url, day: request.listedOn ?? utcDate(request.now), observedAt: request.now };
  for (const item of readArxivXml(fetched.body, context)) {
    if (item.type === 'listing') missing.delete(item.listing.paper.sourceId);
    yield item;
  }
  for (const id of missing) yield fault(url, `arXiv knows no paper ${id}`);
}
