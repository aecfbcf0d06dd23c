import { type IsoDate, utcDate } from '#src/database/ids.ts';
import type { ListingKind, SignalKind, SourceItem } from '../paper.ts';
import { fault, type Source, type SourceRequest } from '../source.ts';
import { countOf, lineOf } from '../text.ts';
import { dateOf, readJsonLines, startOfDay } from './json-lines.ts';
import { type Fields, first, looseRecord } from './loose-record.ts';

/**
 * JSON lines of anybody's making: see `looseRecord` for the fields of the paper; `listed`, `listedOn`, `listed_on`,
 * `day` or `date` say when it was listed (else `request.listedOn`, else today), `kind`, `section` and `upvotes`,
 * `comments`, `github_stars` may be given.
 */
export function createJsonlSource(): Source {
  return { name: 'jsonl', read: readFiles };
}

async function* readFiles(request: SourceRequest): AsyncIterable<SourceItem> {
  if (!request.files?.length) yield fault('jsonl', 'name the files to read: ingest jsonl FILE…');
  for (const file of request.files ?? [])
    for await (const line of readJsonLines(file))
      yield line.type === 'fault'
        ? line
        : looseListing('jsonl', line.row, request, { where: file, line: line.line });
}

/** A listing out of a JSON object or CSV row, or the fault that it is none. */
export function looseListing(
  source: string,
  row: Fields,
  request: SourceRequest,
  at: { where: string; line: number },
): SourceItem {
  const paper = looseRecord(row);
  if ('missing' in paper) return fault(at.where, paper.missing, at.line);
  const day = first(row, ['listed', 'listedOn', 'listed_on', 'day', 'date'], dateOf) ?? request.listedOn;
  return {
    type: 'listing',
    listing: {
      source,
      listedOn: day ?? utcDate(request.now),
      kind: kindOf(row['kind']),
      section: lineOf(row['section']) ?? '',
      ...signalsOf(row),
      observedAt: observedAt(day, request),
      paper,
    },
  };
}

/** A recorded day counts as seen when it began; today counts as seen now. */
function observedAt(day: IsoDate | undefined, request: SourceRequest): Date {
  const begin = day ? startOfDay(day) : request.now;
  return begin < request.now ? begin : request.now;
}

function kindOf(value: unknown): ListingKind {
  return value === 'new' || value === 'cross' || value === 'replace' ? value : 'daily';
}

const SIGNALS: Record<Exclude<SignalKind, 'more'>, readonly string[]> = {
  upvotes: ['upvotes', 'votes'],
  comments: ['comment_count', 'num_comments', 'numComments'],
  github_stars: ['github_stars', 'githubStars', 'stars'],
};

function signalsOf(row: Fields): { signals?: Partial<Record<SignalKind, number>> } {
  const pairs = Object.entries(SIGNALS).map(([kind, names]) => [kind, first(row, names, countOf)] as const);
  const seen = pairs.filter(([, value]) => value !== undefined);
  return seen.length > 0 ? { signals: Object.fromEntries(seen) } : {};
}
