import { sql } from 'kysely';
import { PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';

/** Something that is counted: `key` says what and for whom, `windowStart` the beginning of its window. */
export type CountKey = { readonly key: string; readonly windowStart: Date };

/**
 * Adds to counters and answers with the counts *before*, by key. Exact over processes: one statement, rows locked
 * in the order of their keys.
 */
export async function addCounts(
  tx: Queryable,
  counts: readonly (CountKey & { readonly add: number })[],
): Promise<Map<string, number>> {
  const sorted = [...counts].sort((a, b) => (a.key < b.key ? -1 : 1));
  const { rows } = await sql<{ key: string; count: number }>`${PREPARED}
    insert into request_counts (key, window_start, count)
    select key, window_start, count from unnest(
      ${sorted.map((count) => count.key)}::text[],
      ${sorted.map((count) => count.windowStart.toISOString())}::timestamptz[],
      ${sorted.map((count) => count.add)}::int[]
    ) as new (key, window_start, count)
    on conflict (key, window_start) do update set count = request_counts.count + excluded.count
    returning key, count`.execute(tx);
  const added = new Map(sorted.map((count) => [count.key, count.add]));
  return new Map(rows.map((row) => [row.key, row.count - (added.get(row.key) ?? 0)]));
}

/** The start of the fixed window of `seconds` that holds an instant. */
export const windowStart = (now: Date, seconds: number): Date =>
  new Date(Math.floor(now.getTime() / (seconds * 1000)) * seconds * 1000);

/** Removes counters of windows that began before an instant. */
export async function removeCounts(tx: Queryable, before: Date): Promise<void> {
  await tx.deleteFrom('request_counts').where('window_start', '<', before).execute();
}
