import { utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type SourceRequest } from '../source.ts';
import { type ArxivAnswer, readArxivXml } from './arxiv-xml.ts';
import { fetchChanged, type Network } from './fetch.ts';

/** Entries of a feed at most; one that is full may have been cut. */
const FEED_LIMIT = 2000;

/**
 * Today's announcements of some categories, one feed each: a category can go stale alone, and feeds of several are
 * cut at 2,000 entries together.
 */
export async function* readFeeds(
  network: Network,
  categories: readonly string[],
  request: SourceRequest,
  origin: string,
): AsyncIterable<SourceItem> {
  for (const category of categories) {
    const url = `${origin}/atom/${encodeURIComponent(category.replace(/\.\*$/, ''))}`;
    const fetched = await fetchChanged(network, url, 'application/atom+xml, application/xml;q=0.9');
    if (fetched.type === 'fault') {
      yield fetched.item;
      if (fetched.absent) return;
    }
    if (fetched.type === 'body') {
      let faults = 0;
      const answer: ArxivAnswer = { entries: 0 };
      const context = { where: url, day: utcDate(request.now), observedAt: request.now };
      for (const item of readArxivXml(fetched.body, context, answer)) {
        if (item.type === 'fault') faults += 1;
        yield item;
      }
      if (answer.entries >= FEED_LIMIT)
        yield fault(url, `${answer.entries} entries: the feed may have been cut`);
      if (faults === 0) yield { type: 'checkpoint', reached: fetched.stored };
    }
  }
}
