import type { IsoDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault } from '../source.ts';
import { saysWithdrawn } from './arxiv-record.ts';
import { dateInName, readJsonLines, startOfDay } from './json-lines.ts';
import { type Fields, looseRecord } from './loose-record.ts';

/**
 * Recorded arXiv announcements: JSON lines, gzipped or plain, one file per day with the day in its name. Repeats inside
 * a day and across days (weekends and holidays repeat the last list) are yielded as they stand and meet in one row.
 * @param given the day of a file whose name tells none
 */
export async function* readListingDay(file: string, given: IsoDate | undefined): AsyncIterable<SourceItem> {
  const day = dateInName(file) ?? given;
  if (day) yield* readDay(file, day);
  else yield fault(file, 'no date in the name of the file (YYYY-MM-DD), and none given with --listed-on');
}

async function* readDay(file: string, day: IsoDate): AsyncIterable<SourceItem> {
  let position = 0;
  for await (const line of readJsonLines(file)) {
    if (line.type === 'fault') yield line;
    else yield announcement(file, day, line.row, line.line, ++position);
  }
}

function announcement(file: string, day: IsoDate, row: Fields, line: number, position: number): SourceItem {
  const paper = looseRecord(row);
  if ('missing' in paper) return fault(file, paper.missing, line);
  if (!paper.arxivId) return fault(file, `no arXiv identifier: ${JSON.stringify(row['id'])}`, line);
  return {
    type: 'listing',
    listing: {
      source: 'arxiv',
      listedOn: day,
      kind: isOld(paper.arxivId, day) ? 'replace' : 'new',
      section: paper.categories?.[0] ?? '',
      position,
      observedAt: startOfDay(day),
      paper: saysWithdrawn(paper.comment ?? '', paper.abstract) ? { ...paper, withdrawn: true } : paper,
    },
  };
}

/**
 * The listings don't say what was new. An identifier carries the month of the first announcement (YYMM), so one from
 * before the previous month is an old paper announced again.
 */
function isOld(arxivId: string, day: IsoDate): boolean {
  const [, year, month] = /^(?:[a-z-]+\/)?(\d{2})(\d{2})/.exec(arxivId) ?? [];
  const century = Number(year) > 90 ? 1900 : 2000;
  const announced = (century + Number(year)) * 12 + Number(month);
  return announced < Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}
