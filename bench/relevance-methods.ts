import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { PaperId } from '#src/database/ids.ts';
import { createRanker } from '#src/matching/rank/ranker.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import type { Statistics } from '#src/matching/statistics/statistics.ts';
import type { MatchingPaper } from '#src/matching/types.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { type Doc, type Task, weekOf } from './relevance-data.ts';

/** Scores a task's pool, in the pool's order. */
export type Method = (task: Task) => number[];

/** Builds a method for all tasks that share the documents which may shape its statistics. */
export type MethodFactory = (documents: readonly Doc[], known: readonly Doc[]) => Method;

/** When statistics are fitted: `cut` once, on what was listed until the cut · `week` anew before each ranked week, as the service does. */
export type Refit = 'cut' | 'week';

/**
 * The day until which papers shape statistics for a task: the last Sunday on or before the cut (or before the ranked
 * week), so that tasks share fits; in the corpus' first week, the cut itself. '' where the set has no days.
 */
export function fitDay({ cut, week }: Task, refit: Refit): string {
  if (cut === '') return '';
  const sunday = refit === 'week' && week && week > cut ? dayBefore(week) : dayBefore(weekOf(dayAfter(cut)));
  return sunday < FIRST_SUNDAY ? cut : sunday;
}

/** End of the corpus' first week. */
const FIRST_SUNDAY = '2025-03-23';
const DAY = 86_400_000;
const shifted = (day: string, by: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + by).toISOString().slice(0, 10);
const dayBefore = (day: string): string => shifted(day, -DAY);
const dayAfter = (day: string): string => shifted(day, DAY);

/** This engine, as the `rank` command runs it. */
export const paperboy: MethodFactory = (documents, known) => {
  const numbers = new Map(documents.map(({ id }, at) => [id, at]));
  const rank = createRanker({
    papers: documents.map(toPaper),
    candidates: documents.length,
    catalogue: CATALOGUE,
    statistics: fitted(known),
  });
  const numberOf = (id: string): number[] => {
    const number = numbers.get(id);
    return number === undefined ? [] : [number];
  };
  return (task) => {
    const only = task.pool.flatMap(numberOf);
    const profile = {
      likes: task.likes.toReversed().flatMap(numberOf),
      dislikes: [],
      follows: [],
      mutes: [],
      only,
      ...(task.phrase ? { phrase: task.phrase } : {}),
    };
    const scores = new Map(rank(profile, only.length).map(({ paper, score }) => [paper, score]));
    return task.pool.map((id) => scores.get(numbers.get(id) ?? -1) ?? Number.NEGATIVE_INFINITY);
  };
};

function toPaper(doc: Doc, at: number): MatchingPaper {
  return {
    id: at as PaperId,
    identity: doc.id,
    title: doc.title,
    abstract: doc.abstract,
    authors: doc.authors,
    categories: doc.categories,
    organisation: null,
    keywords: [],
    listedOn: null,
    trend: 0,
  };
}

/** Statistics take a while: kept in the folder for temporary files, by everything that makes them. */
export function fitted(known: readonly Doc[]): Statistics {
  const key = createHash('sha256');
  for (const file of ['fit.ts', 'decompose.ts', 'project.ts'])
    key.update(readFileSync(join(import.meta.dirname, '../src/matching/statistics', file)));
  for (const { id, title } of known) key.update(`${id} ${title}\n`);
  const folder = join(tmpdir(), 'paperboy-eval');
  const file = join(folder, key.digest('hex').slice(0, 24));
  if (existsSync(file)) return deserialize(readFileSync(file)) as Statistics;
  const statistics = fitStatistics(known, 'evaluation');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, serialize(statistics));
  return statistics;
}
