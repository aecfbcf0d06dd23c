import { type IsoDate, utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type SourceRequest } from '../source.ts';
import { type ArxivAnswer, readArxivXml } from './arxiv-xml.ts';
import { type Fetched, fetchChanged, type Network } from './fetch.ts';

/** Entries of a feed at most; one that is full may have been cut. */
const FEED_LIMIT = 2000;

/**
 * Today's announcements of some categories, one feed each: a category can go stale alone, and feeds of several are
 * cut at 2,000 entries together. How each was read follows its listings.
 */
export async function* readFeeds(
  network: Network,
  categories: readonly string[],
  request: SourceRequest,
  origin: string,
): AsyncIterable<SourceItem> {
  for (const [index, category] of categories.entries()) {
    const url = `${origin}/atom/${encodeURIComponent(category.replace(/\.\*$/, ''))}`;
    const fetched = await fetchChanged(network, url, 'application/atom+xml, application/xml;q=0.9');
    yield* summed(category, readFeed(fetched, url, request));
    // Nobody answers: the others would be asked at the same door.
    if (fetched.type === 'fault' && fetched.absent) return yield* notAsked(categories.slice(index + 1), url);
  }
}

function* readFeed(fetched: Fetched, url: string, request: SourceRequest): Iterable<SourceItem> {
  if (fetched.type === 'fault') return yield fetched.item;
  if (fetched.type === 'unchanged') return;
  let faults = 0;
  const answer: ArxivAnswer = { entries: 0 };
  const context = { where: url, day: utcDate(request.now), observedAt: request.now, live: true };
  for (const item of readArxivXml(fetched.body, context, answer)) {
    if (item.type === 'fault') faults += 1;
    yield item;
  }
  if (answer.entries >= FEED_LIMIT) yield fault(url, `${answer.entries} entries: the feed may have been cut`);
  if (faults === 0) yield { type: 'checkpoint', reached: fetched.stored };
}

/** The items of a section, and then how it was read. */
function* summed(section: string, items: Iterable<SourceItem>): Iterable<SourceItem> {
  let newestListedOn: IsoDate | null = null;
  let found: string | null = null;
  for (const item of items) {
    if (item.type === 'listing' && item.listing.listedOn > (newestListedOn ?? ''))
      newestListedOn = item.listing.listedOn;
    if (item.type === 'fault') found ??= item.fault.message;
    yield item;
  }
  yield { type: 'section', section, newestListedOn, fault: found };
}

function* notAsked(categories: readonly string[], url: string): Iterable<SourceItem> {
  for (const section of categories)
    yield { type: 'section', section, newestListedOn: null, fault: `not asked: nobody answered at ${url}` };
}
