import { Parser } from 'htmlparser2';
import type { IsoDate } from '#src/database/ids.ts';
import type { ListingKind, SourceItem } from '../paper.ts';
import { fault } from '../source.ts';
import { oneLine } from '../text.ts';
import { arxivRecord } from './arxiv-record.ts';
import { dateOf } from './json-lines.ts';
import type { ReadContext } from './read-context.ts';

/** The texts of one entry of the page, by what they are. */
type Entry = { heading: string; texts: Map<Part, string> };
type Part = 'id' | 'title' | 'authors' | 'comments' | 'subjects' | 'journal' | 'abstract';
type Page = { entries: Entry[]; headings: string[] };

const PARTS: Readonly<Record<string, Part>> = {
  'list-title': 'title',
  'list-authors': 'authors',
  'list-comments': 'comments',
  'list-subjects': 'subjects',
  'list-journal-ref': 'journal',
};

/**
 * arXiv's pages of a category's listings: the new ones (`/list/cs.AI/new`: new submissions, cross-lists and replacements, each
 * under a heading) and the recent ones (`/list/cs.AI/recent`, `pastweek`: a heading for each day, no abstracts), as they are and
 * as they were in years before. Fewer entries than the headings say is a fault.
 */
export function* readListingPage(body: Buffer, context: ReadContext): Iterable<SourceItem> {
  const page = parsePage(body.toString('utf8'));
  if (page.entries.length === 0) return yield fault(context.where, 'not a listing page of arXiv: no entries');
  const pageDay = page.headings.map(dayIn).find((day) => day !== undefined) ?? context.day;
  for (const [index, entry] of page.entries.entries())
    yield listingOf(entry, { ...context, day: dayIn(entry.heading) ?? pageDay, position: index + 1 });
  const shown = page.headings.map(shownIn).reduce((sum, count) => sum + count, 0);
  if (page.entries.length < shown)
    yield fault(context.where, `${page.entries.length} entries of the ${shown} it says`);
}

function parsePage(html: string): Page {
  const page: Page = { entries: [], headings: [] };
  let part: Part | 'heading' | 'descriptor' | undefined;
  let depth = 0;
  const parser = new Parser({
    onopentag(name, { class: classes = '', title, href }) {
      if (part) depth += 1;
      if (name === 'h3') page.headings.push('');
      const entry = page.entries.at(-1);
      if (name === 'dt') page.entries.push({ heading: page.headings.at(-1) ?? '', texts: new Map() });
      else if (name === 'a' && title === 'Abstract') entry?.texts.set('id', href?.replace('/abs/', '') ?? '');
      const opens = name === 'h3' ? 'heading' : name === 'p' ? 'abstract' : partOf(classes);
      if (!part && opens) [part, depth] = [opens, 1];
    },
    ontext(text) {
      const entry = page.entries.at(-1);
      if (part === 'heading') page.headings.push((page.headings.pop() ?? '') + text);
      else if (part && part !== 'descriptor') entry?.texts.set(part, (entry.texts.get(part) ?? '') + text);
    },
    onclosetag() {
      if (part && --depth === 0) part = undefined;
    },
  });
  parser.end(html);
  return page;
}

const partOf = (classes: string) =>
  classes
    .split(/\s+/)
    .map((name) => PARTS[name])
    .find((part) => part !== undefined);

function kindUnder(heading: string): ListingKind {
  if (/^cross/i.test(heading)) return 'cross';
  return /^replace/i.test(heading) ? 'replace' : 'new';
}

function listingOf({ heading, texts }: Entry, context: ReadContext & { position: number }): SourceItem {
  const kind = kindUnder(heading);
  const plain = (part: Part) =>
    oneLine(texts.get(part) ?? '').replace(/^(?:Title|Authors|Comments|Subjects):\s*/, '');
  const categories = [...plain('subjects').matchAll(/\(([a-z-]+(?:\.[A-Za-z-]+)?)\)/g)].map(
    (match) => match[1] ?? '',
  );
  const paper = arxivRecord({
    id: texts.get('id'),
    title: plain('title'),
    abstract: texts.get('abstract'),
    authors: plain('authors').split(/,\s*/),
    categories,
    comment: plain('comments') || undefined,
  });
  if ('missing' in paper) return fault(context.where, paper.missing, context.position);
  const { day: listedOn, observedAt, position } = context;
  const asked = /(?:^|\W|_)([a-z-]+\.[A-Z]{2})(?:_|\W|$)/.exec(context.where)?.[1];
  const section = kind === 'cross' && asked ? asked : (categories[0] ?? '');
  return {
    type: 'listing',
    listing: { source: 'arxiv', listedOn, kind, section, position, observedAt, paper },
  };
}

const shownIn = (heading: string) =>
  Number(/showing (?:(?:first|last) )?(\d+) of \d+ entries/.exec(heading)?.[1] ?? 0);

/** `Showing new listings for Wednesday, 12 August 2026`, `Wed, 12 Aug 2026 (showing …)`, in former years `Wed, 12 Aug 15`. */
function dayIn(heading: string): IsoDate | undefined {
  const [, day, name, year = ''] = /\b(\d{1,2}) ([A-Z][a-z]{2,8}) (\d{4}|\d{2})\b/.exec(heading) ?? [];
  const month = new Date(`1 ${name} 2000 UTC`).getUTCMonth() + 1;
  const century = Number(year) > 90 ? '19' : '20';
  return day ? dateOf(`${year.length === 2 ? century + year : year}-${month}-${day}`) : undefined;
}
