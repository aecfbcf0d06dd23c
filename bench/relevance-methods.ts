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
import type { Doc, Task } from './relevance-data.ts';

/** Scores a task's pool, in the pool's order. */
export type Method = (task: Task) => number[];

/** Builds a method for all tasks that share the documents which may shape its statistics. */
export type MethodFactory = (documents: readonly Doc[], known: readonly Doc[]) => Method;

/**
 * The day until which papers shape statistics for a cut: the end of the month before, as a scheduled refit would
 * have it; for a cut in the corpus' first month, the cut itself.
 */
export function fitDay(cut: string): string {
  if (cut === '') return '';
  const start = `${cut.slice(0, 8)}01`;
  const previous = new Date(Date.parse(`${start}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  return previous < '2025-03-31' ? cut : previous;
}

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
function fitted(known: readonly Doc[]): Statistics {
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
