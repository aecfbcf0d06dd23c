import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { PriorPaper } from '#src/papers/prior.ts';

/** An arXiv announcement with what became of it. */
export type Announced = PriorPaper & { readonly id: string; readonly day: string; readonly listed: boolean };

/** Folder of the real data: beside the project, or where SHARED_DATA says. */
export const sharedData = resolve(
  process.env['SHARED_DATA'] ?? resolve(import.meta.dirname, '../../shared/data'),
);

type Row = {
  id: string;
  title: string;
  abstract?: string;
  summary?: string;
  authors: string[];
  categories: string[];
  listed?: string;
  day?: string;
};

function lines<T>(file: string): T[] {
  const text = gunzipSync(readFileSync(join(sharedData, file))).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** 2025-03 … 2025-09: announcements, and whether the community ever listed them. */
export function announced2025(): Announced[] {
  const listed = new Set(lines<Row>('relevance/hf_daily_2024-05_2025-09.jsonl.gz').map(({ id }) => id));
  return lines<Row>('relevance/arxiv_2025-03_2025-09.jsonl.gz').map((row) =>
    asAnnounced(row, row.listed ?? '', listed),
  );
}

const LISTINGS = 'wire/arxiv-listings';
const DAILY_LISTS = 'wire/hf-daily-papers';

/** The months (`2026-06`) of which announcements and daily lists are recorded, in order. */
export function recordedMonths(): string[] {
  const monthsIn = (folder: string) =>
    readdirSync(join(sharedData, folder)).map((name) => /^\d{4}-\d{2}(?=-\d{2}\.)/.exec(name)?.[0] ?? '');
  const listed = new Set(monthsIn(DAILY_LISTS));
  return [...new Set(monthsIn(LISTINGS))].filter((month) => month !== '' && listed.has(month)).sort();
}

/** A recorded month: each paper on the first day it was announced, old papers announced again left out. */
export function announcedIn(month: string): Announced[] {
  const folder = join(sharedData, DAILY_LISTS);
  const lists = readdirSync(folder).filter((name) => name.startsWith(month));
  const listed = new Set(
    lists.flatMap((name) =>
      (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { paper: { id: string } }[]).map(
        ({ paper }) => paper.id,
      ),
    ),
  );
  const fresh = [month, monthBefore(month)].map((each) => each.slice(2).replace('-', ''));
  const files = readdirSync(join(sharedData, LISTINGS)).filter((name) => name.startsWith(month));
  const seen = new Map<string, Announced>();
  for (const name of files.sort())
    for (const row of lines<Row>(`${LISTINGS}/${name}`))
      if (!seen.has(row.id) && fresh.includes(row.id.slice(0, 4)))
        seen.set(row.id, asAnnounced(row, name.slice(0, 10), listed));
  return [...seen.values()];
}

function monthBefore(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 2, 1)).toISOString().slice(0, 7);
}

function asAnnounced(row: Row, day: string, listed: ReadonlySet<string>): Announced {
  return {
    id: row.id,
    day,
    listed: listed.has(row.id),
    title: row.title,
    abstract: row.abstract ?? row.summary ?? '',
    authors: row.authors,
    categories: row.categories,
    organisation: null,
    codeUrl: null,
    projectUrl: null,
  };
}
