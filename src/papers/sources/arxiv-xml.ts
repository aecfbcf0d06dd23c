import type { SourceItem } from '../paper.ts';
import { fault } from '../source.ts';
import { lineOf } from '../text.ts';
import { readXml, type XmlElement } from '../xml.ts';
import { readApiEntry, readFeedEntry } from './arxiv-atom.ts';
import { readOaiRecord } from './arxiv-oai.ts';
import type { ReadContext } from './read-context.ts';

/** What an answer says besides its papers. */
export type ArxivAnswer = {
  /** OAI-PMH: where the list goes on; `''` at its end, undefined when the answer isn't a list in parts. */
  resumptionToken?: string;
  /** OAI-PMH: an error code, such as `badResumptionToken` or `noRecordsMatch`. */
  errorCode?: string;
  /** API: how many papers match, of which this is a part. */
  totalResults?: number;
  /** How many papers were read. */
  entries: number;
};

const NAMES = ['record', 'entry', 'item', 'error', 'resumptionToken', 'totalResults', 'id', 'title', 'link'];

/**
 * Reads any XML that arXiv answers: Atom of the API, Atom and RSS of the announcements, OAI-PMH. Yields papers,
 * withdrawals and faults; what else the answer says is put in `answer`.
 */
export function* readArxivXml(
  body: Buffer,
  context: ReadContext,
  answer: ArxivAnswer = { entries: 0 },
): Iterable<SourceItem> {
  let feed: string[] = [];
  let recognised = false;
  for (const item of readXml(body, NAMES)) {
    if (item.type === 'fault') return yield fault(context.where, `XML: ${item.message}`, item.line);
    const { element } = item;
    recognised ||= element.name !== 'title' && element.name !== 'link' && element.name !== 'id';
    if (element.name === 'id' || element.name === 'title' || element.name === 'link')
      feed = feed.length > 0 ? feed : feedCategories(element);
    else yield* readElement(element, feed, context, answer);
    recognised ||= feed.length > 0;
  }
  if (!recognised) yield fault(context.where, 'not an answer of arXiv: no entries, records, error or total');
}

function* readElement(
  element: XmlElement,
  feed: readonly string[],
  context: ReadContext,
  answer: ArxivAnswer,
): Iterable<SourceItem> {
  switch (element.name) {
    case 'record':
      answer.entries += 1;
      return yield readOaiRecord(element, context);
    case 'entry':
    case 'item': {
      answer.entries += 1;
      const announced =
        element.name === 'item' || element.children.some(({ name }) => name === 'announce_type');
      return yield announced ? readFeedEntry(element, feed, context) : readApiEntry(element, context);
    }
    case 'resumptionToken':
      answer.resumptionToken = element.text.trim();
      return;
    case 'totalResults':
      answer.totalResults = Number(element.text);
      return;
    default:
      return yield* readError(element, context, answer);
  }
}

/** `noRecordsMatch` is an empty list, not a failure (OAI-PMH 2.0, section 3.6). */
function* readError(element: XmlElement, context: ReadContext, answer: ArxivAnswer): Iterable<SourceItem> {
  answer.errorCode = element.attributes['code'] ?? 'unknown';
  if (answer.errorCode !== 'noRecordsMatch')
    yield fault(context.where, `arXiv answers: ${answer.errorCode}: ${lineOf(element.text) ?? ''}`);
}

/** `cs.AI+cs.CL` out of a feed's address, or `cs.AI` out of its title. */
function feedCategories(element: XmlElement): string[] {
  const text = element.attributes['href'] ?? element.text;
  const named =
    /\/(?:atom|rss)\/([\w.+-]+)$/.exec(text)?.[1] ?? /^([\w.+, -]+?) updates on arXiv/.exec(text.trim())?.[1];
  return named ? named.split(/[+,\s]+/) : [];
}
