import type { IsoDate } from '#src/database/ids.ts';
import type { InsertedDigest } from './ledger.ts';

/** Ledger rows of one edition by id, both ends included: what a job holds. */
export type DigestRange = { readonly editionDate: IsoDate; readonly from: number; readonly to: number };

/**
 * Ids of the ledger are given out in blocks of so many, each to rows of one edition: what is kept for a block is found
 * from any of its ids. Also the rows of a job, at most. The sequence `digest_ids` counts in this step.
 */
export const BLOCK_SIZE = 500;

/** The lowest id of the block of an id. */
export const blockOf = (id: number): number => id - (id % BLOCK_SIZE);

/** Cuts freshly planned rows into the ranges that `deliver-digests` jobs hold. Rows written as skipped need no job. */
export function digestRanges(rows: readonly InsertedDigest[]): DigestRange[] {
  const blocks = Map.groupBy(
    rows.filter((row) => row.state === 'planned'),
    (row) => `${row.editionDate} ${blockOf(row.id)}`,
  );
  return [...blocks.values()].map((planned) => {
    const ids = planned.map((row) => row.id);
    return {
      editionDate: (planned[0] as InsertedDigest).editionDate,
      from: Math.min(...ids),
      to: Math.max(...ids),
    };
  });
}
