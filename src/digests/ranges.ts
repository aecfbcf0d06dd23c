import type { DigestRange, InsertedDigest } from './ledger.ts';
import { RANGE_SIZE } from './recovery-store.ts';

/**
 * Cuts freshly planned rows into the ranges that `deliver-digests` jobs hold: per edition, in the order of ids, at most
 * {@link RANGE_SIZE} rows each. Rows written as skipped need no job.
 */
export function digestRanges(rows: readonly InsertedDigest[]): DigestRange[] {
  const ids = Map.groupBy(
    rows.filter((row) => row.state === 'planned'),
    (row) => row.editionDate,
  );
  return [...ids].flatMap(([editionDate, planned]) => {
    const sorted = planned.map((row) => row.id).sort((a, b) => a - b);
    const ranges: DigestRange[] = [];
    for (let start = 0; start < sorted.length; start += RANGE_SIZE) {
      const part = sorted.slice(start, start + RANGE_SIZE);
      ranges.push({ editionDate, from: part[0] ?? 0, to: part.at(-1) ?? 0 });
    }
    return ranges;
  });
}
