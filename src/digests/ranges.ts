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

/**
 * Cuts freshly planned rows into the ranges that `deliver-digests` jobs hold, one for each block. Rows written as skipped
 * need no job.
 * @param rows in the order in which the ledger wrote them
 */
export function digestRanges(rows: readonly InsertedDigest[]): DigestRange[] {
  const ranges: { editionDate: IsoDate; from: number; to: number }[] = [];
  for (const { state, editionDate, id } of rows) {
    if (state !== 'planned') continue;
    const last = ranges.at(-1);
    if (last && blockOf(last.from) === blockOf(id)) last.to = id;
    else ranges.push({ editionDate, from: id, to: id });
  }
  return ranges;
}
