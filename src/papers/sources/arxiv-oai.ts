import { type IsoDate, utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault } from '../source.ts';
import { instantOf, lineOf } from '../text.ts';
import { childOf, childrenOf, textIn, type XmlElement } from '../xml.ts';
import { type ArxivTexts, arxivRecord } from './arxiv-record.ts';
import { dateOf } from './json-lines.ts';
import { splitAuthors } from './people.ts';
import { type ReadContext, seenAt } from './read-context.ts';

/** Days between the first submission and the announcement at most: a long week-end and moderation. */
const NEW_WITHIN_DAYS = 7;

/**
 * A `record` of OAI-PMH 2.0 (https://www.openarchives.org/OAI/openarchivesprotocol.html, section 2.5) in the formats
 * `arXiv` and `arXivRaw`. It is listed on its datestamp, as new when it was first submitted in the week before, else as
 * a replacement. A deleted record is a withdrawal.
 */
export function readOaiRecord(record: XmlElement, context: ReadContext): SourceItem {
  const header = childOf(record, 'header');
  const identifier = lineOf(header && textIn(header, 'identifier')) ?? '';
  const datestamp = dateOf(lineOf(header && textIn(header, 'datestamp')));
  const observedAt = seenAt(context, datestamp);
  if (header?.attributes['status'] === 'deleted') return { type: 'withdrawal', identifier, observedAt };
  const metadata = childOf(record, 'metadata');
  const known = metadata?.children.find(({ name }) => name === 'arXiv' || name === 'arXivRaw');
  if (!known)
    return fault(
      context.where,
      `${identifier || 'a record'} is in no known format: ${metadata?.children[0]?.name ?? 'no metadata'}`,
    );
  const texts = known.name === 'arXiv' ? arxivTexts(known) : rawTexts(known);
  const paper = arxivRecord(texts);
  if ('missing' in paper) return fault(context.where, `${identifier}: ${paper.missing}`);
  const listedOn = datestamp ?? context.day;
  const kind = isNew(texts.publishedAt, listedOn) ? 'new' : 'replace';
  return {
    type: 'listing',
    listing: { source: 'arxiv', listedOn, kind, section: paper.categories?.[0] ?? '', observedAt, paper },
  };
}

function isNew(submittedAt: Date | undefined, listedOn: IsoDate): boolean {
  if (!submittedAt) return false;
  const days = (Date.parse(listedOn) - Date.parse(utcDate(submittedAt))) / 86_400_000;
  return days >= 0 && days <= NEW_WITHIN_DAYS;
}

/** Format `arXiv`: names in parts, no versions. */
function arxivTexts(meta: XmlElement): ArxivTexts {
  const authors = childOf(meta, 'authors');
  return {
    ...commonTexts(meta),
    authors: authors ? childrenOf(authors, 'author').map(authorName) : [],
    publishedAt: instantOf(textIn(meta, 'created')),
  };
}

function authorName(author: XmlElement): string {
  const parts = ['forenames', 'keyname', 'suffix'].map((part) => textIn(author, part)?.trim());
  return parts.filter((part) => part !== undefined).join(' ');
}

/** Format `arXivRaw`: the metadata as submitted, with every version, not always in order. */
function rawTexts(meta: XmlElement): ArxivTexts {
  const versions = childrenOf(meta, 'version').map((version) => ({
    number: Number(version.attributes['version']?.replace(/^v/, '')),
    at: instantOf(textIn(version, 'date')),
  }));
  const first = versions.find(({ number }) => number === 1);
  const newest = Math.max(0, ...versions.map(({ number }) => number).filter(Number.isInteger));
  return {
    ...commonTexts(meta),
    authors: splitAuthors(textIn(meta, 'authors') ?? ''),
    publishedAt: first?.at,
    version: newest > 0 ? newest : undefined,
  };
}

// `msc-class` and `acm-class` are left alone: arXiv's server puts one in the other's place, and nothing here needs them.
function commonTexts(meta: XmlElement) {
  return {
    id: lineOf(textIn(meta, 'id')),
    title: textIn(meta, 'title'),
    abstract: textIn(meta, 'abstract'),
    categories: (textIn(meta, 'categories') ?? '').trim().split(/\s+/),
    comment: textIn(meta, 'comments'),
    license: textIn(meta, 'license'),
    doi: textIn(meta, 'doi'),
  };
}
