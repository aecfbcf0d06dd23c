import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import { arxivIdOf } from '../identity.ts';
import type { PaperRecord, SignalKind, SourceItem } from '../paper.ts';
import { communityQuiet } from '../schedule.ts';
import { fault } from '../source.ts';
import { countOf, instantOf, known, lineOf, oneLine, storable, webAddressOf } from '../text.ts';
import { dateOf, startOfDay } from './json-lines.ts';
import { type Fields, first, isFields, namesIn } from './loose-record.ts';

/** Where an entry was found, and what the answer as a whole says. */
export type EntryContext = {
  /** File or URL. */
  readonly where: string;
  /** Index in the answer, from 1. */
  readonly index: number;
  /** The day the answer was asked for, where entries name none (before mid-2025). */
  readonly day?: IsoDate | undefined;
  /** When the answer was received; absent for a recorded one: then the listing day counts. */
  readonly receivedAt?: Date | undefined;
};

/**
 * One entry of `GET https://huggingface.co/api/daily_papers`. The listing day is `paper.submittedOnDailyAt`: the top
 * `publishedAt` has changed its meaning over the years. Unknown fields are ignored, known ones may be absent.
 */
export function readEntry(entry: unknown, context: EntryContext): SourceItem {
  const { where, index } = context;
  if (!isFields(entry) || !isFields(entry['paper'])) return fault(where, 'an entry without "paper"', index);
  const paper = entry['paper'];
  const record = recordOf(entry, paper);
  if ('missing' in record) return fault(where, record.missing, index);
  const listedOn = dateOf(paper['submittedOnDailyAt']) ?? context.day ?? firstShown(entry, paper);
  if (!listedOn)
    return fault(
      where,
      `paper ${record.sourceId} doesn't say its day: neither "submittedOnDailyAt" nor a "publishedAt" of the list; ask for it by day (--from, --to) or name the file after it (YYYY-MM-DD)`,
      index,
    );
  const listing = {
    source: 'huggingface',
    listedOn,
    kind: 'daily' as const,
    section: '',
    position: index,
    signals: signalsOf(entry, paper),
    observedAt: context.receivedAt ?? startOfDay(listedOn),
    paper: record,
  };
  return { type: 'listing', listing };
}

/**
 * Until early 2025 the entry's own `publishedAt` was when it was put on the list, later than the paper's; since then it is
 * the paper's, some hours off. The list of a Monday was begun on the week-end before.
 */
function firstShown(entry: Fields, paper: Fields): IsoDate | undefined {
  const shown = instantOf(entry['publishedAt']);
  const published = instantOf(paper['publishedAt']);
  if (!shown || !published || shown <= published) return undefined;
  let day = utcDate(shown);
  while (communityQuiet(day) !== undefined) day = addDays(day, 1);
  return day;
}

function recordOf(entry: Fields, paper: Fields): PaperRecord | { missing: string } {
  const sourceId = lineOf(paper['id']);
  const title = lineOf(paper['title']) ?? lineOf(entry['title']);
  const summary = [paper['summary'], entry['summary']].find((text) => typeof text === 'string');
  if (!sourceId) return { missing: 'a paper without "id"' };
  if (!title) return { missing: `paper ${sourceId} has no title` };
  const arxivId = arxivIdOf(sourceId);
  return known({
    sourceId,
    arxivId,
    title,
    abstract: storable(summary ?? ''),
    authors: namesIn(authorNames(paper['authors'])),
    organisation: organisationOf(paper['organization']) ?? organisationOf(entry['organization']),
    keywords: namesIn(paper['ai_keywords']),
    publishedAt: instantOf(paper['publishedAt']),
    url: arxivId
      ? `https://arxiv.org/abs/${arxivId}`
      : `https://huggingface.co/papers/${encodeURIComponent(sourceId)}`,
    pdfUrl: arxivId ? `https://arxiv.org/pdf/${arxivId}` : undefined,
    codeUrl: webAddressOf(paper['githubRepo']),
    projectUrl: webAddressOf(paper['projectPage']),
    thumbnailUrl: first(entry, ['thumbnail'], webAddressOf),
  });
}

function authorNames(authors: unknown): unknown[] {
  return Array.isArray(authors) ? authors.map((author) => (isFields(author) ? author['name'] : author)) : [];
}

function organisationOf(value: unknown): string | undefined {
  if (!isFields(value)) return undefined;
  const name = lineOf(value['fullname']) ?? lineOf(value['name']);
  return name === undefined ? undefined : oneLine(name);
}

function signalsOf(entry: Fields, paper: Fields): Partial<Record<SignalKind, number>> {
  return known({
    upvotes: countOf(paper['upvotes']),
    comments: countOf(entry['numComments']),
    github_stars: countOf(paper['githubStars']),
  });
}
