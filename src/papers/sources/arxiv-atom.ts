import type { ListingKind, SourceItem } from '../paper.ts';
import { fault } from '../source.ts';
import { instantOf, lineOf } from '../text.ts';
import { childOf, childrenOf, textIn, type XmlElement } from '../xml.ts';
import { arxivRecord } from './arxiv-record.ts';
import { dateOf } from './json-lines.ts';
import { splitAuthors } from './people.ts';
import type { ReadContext } from './read-context.ts';

/**
 * An entry of the arXiv API (https://info.arxiv.org/help/api/user-manual.html, section 3.3.2). An error is an entry too,
 * with status 200 or 400. The API tells no day of announcement: the listing is of the day asked for, else of the reading.
 */
export function readApiEntry(entry: XmlElement, context: ReadContext): SourceItem {
  const id = textIn(entry, 'id');
  if (id?.includes('/api/errors'))
    return fault(context.where, `arXiv answers: ${lineOf(textIn(entry, 'summary')) ?? 'error'}`);
  const primary = childOf(entry, 'primary_category')?.attributes['term'];
  const terms = childrenOf(entry, 'category').map(({ attributes }) => attributes['term'] ?? '');
  const paper = arxivRecord({
    id,
    title: textIn(entry, 'title'),
    abstract: textIn(entry, 'summary'),
    authors: childrenOf(entry, 'author').map((author) => textIn(author, 'name') ?? ''),
    categories: primary ? [primary, ...terms] : terms,
    comment: textIn(entry, 'comment'),
    doi: textIn(entry, 'doi'),
    publishedAt: instantOf(textIn(entry, 'published')),
  });
  if ('missing' in paper) return fault(context.where, paper.missing);
  const { day, observedAt, where: _where, ...position } = context;
  return {
    type: 'listing',
    listing: {
      source: 'arxiv',
      listedOn: day,
      kind: 'daily',
      // Not the primary category: an announcement of the same day is a listing of its own.
      section: '',
      observedAt,
      paper,
      ...position,
    },
  };
}

const KINDS: Readonly<Record<string, ListingKind>> = {
  new: 'new',
  cross: 'cross',
  replace: 'replace',
  'replace-cross': 'replace',
};

/**
 * An entry of arXiv's announcement feeds, Atom `entry` or RSS `item` (rss.arxiv.org). The day is that of `published`
 * or `pubDate` as written there (US Eastern): the day the announcement bears.
 * @param feedCategories categories the feed was asked for, of which a cross-list names one
 */
export function readFeedEntry(
  entry: XmlElement,
  feedCategories: readonly string[],
  context: ReadContext,
): SourceItem {
  const description = textIn(entry, 'summary') ?? textIn(entry, 'description') ?? '';
  const categories = childrenOf(entry, 'category').map(
    ({ attributes, text }) => attributes['term'] ?? text.trim(),
  );
  const paper = arxivRecord({
    id: lineOf(textIn(entry, 'id')) ?? lineOf(textIn(entry, 'guid')) ?? lineOf(textIn(entry, 'link')),
    title: textIn(entry, 'title'),
    abstract: /^[\s\S]*?\bAbstract:\s/.test(description)
      ? description.replace(/^[\s\S]*?\bAbstract:\s/, '')
      : description,
    authors: childrenOf(entry, 'creator').flatMap(({ text }) => splitAuthors(text)),
    categories,
    license: textIn(entry, 'rights'),
    doi: textIn(entry, 'DOI') ?? textIn(entry, 'doi'),
  });
  if ('missing' in paper) return fault(context.where, paper.missing);
  const type =
    lineOf(textIn(entry, 'announce_type')) ?? /Announce Type:\s*([\w-]+)/.exec(description)?.[1] ?? '';
  const kind = KINDS[type];
  if (!kind)
    return fault(
      context.where,
      `arXiv:${paper.sourceId} has an unknown announce type: ${JSON.stringify(type)}`,
    );
  const listedOn =
    dateOf(lineOf(textIn(entry, 'published'))) ?? rfc822Date(textIn(entry, 'pubDate')) ?? context.day;
  const section = sectionOf(type, categories, feedCategories);
  const { observedAt } = context;
  return { type: 'listing', listing: { source: 'arxiv', listedOn, kind, section, observedAt, paper } };
}

/** New papers stand in their primary category; cross-lists in the one of the feed that isn't. */
function sectionOf(type: string, categories: readonly string[], feed: readonly string[]): string {
  const [primary = '', ...others] = categories;
  const crossed = type === 'cross' || type === 'replace-cross';
  return (crossed ? others.find((category) => feed.includes(category)) : undefined) ?? primary;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The calendar date written in an RFC 822 date, whatever its zone. */
function rfc822Date(text: string | undefined) {
  const [, day, month, year] = /(\d{1,2})\s+([A-Za-z]{3})\w*\s+(\d{4})/.exec(text ?? '') ?? [];
  const number = MONTHS.indexOf((month ?? '').toLowerCase()) + 1;
  return number > 0 ? dateOf(`${year}-${number}-${day}`) : undefined;
}
