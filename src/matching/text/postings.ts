import { atOnce, type Steps } from '../steps.ts';
import type { Rows } from './lexical-index.ts';

/** The {@link Rows} by term, of the documents that are scored: those that hold term `t` stand at `starts[t] … starts[t + 1]`. */
export type Postings = {
  readonly starts: Int32Array;
  readonly documents: Int32Array;
  readonly bm25: Float32Array;
  readonly early: Float32Array;
  readonly unit: Float32Array;
};

/** Documents whose terms are put among the postings as one step. */
const STEP = 256;

/** Where arrays of zeros are made. */
type Room = { ints(length: number): Int32Array; floats(length: number): Float32Array };
const ANYWHERE: Room = {
  ints: (length) => new Int32Array(length),
  floats: (length) => new Float32Array(length),
};

/**
 * Lists the texts that hold each term.
 * @param size terms of the vocabulary
 * @param scored the first so many documents are listed
 * @param room for four arrays of as many numbers as these have terms
 */
export const invertRows = (...given: Parameters<typeof invertInSteps>): Postings =>
  atOnce(invertInSteps(...given));

/** {@link invertRows} in steps. */
export function* invertInSteps(
  { starts: rowStarts, terms, bm25, early, unit }: Rows,
  size: number,
  scored: number,
  room: Room = ANYWHERE,
): Steps<Postings> {
  const starts = new Int32Array(size + 1);
  const total = rowStarts[scored] as number;
  for (let at = 0; at < total; at += 1) {
    const next = (terms[at] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let term = 0; term < size; term += 1)
    starts[term + 1] = (starts[term + 1] as number) + (starts[term] as number);
  yield;
  const next = starts.slice(0, size);
  const postings = {
    starts,
    documents: room.ints(total),
    bm25: room.floats(total),
    early: room.floats(total),
    unit: room.floats(total),
  };
  for (let row = 0; row < scored; row += 1) {
    if (row % STEP === 0) yield;
    for (let at = rowStarts[row] as number; at < (rowStarts[row + 1] as number); at += 1) {
      const term = terms[at] as number;
      const place = next[term] as number;
      next[term] = place + 1;
      postings.documents[place] = row;
      postings.bm25[place] = bm25[at] as number;
      postings.early[place] = early[at] as number;
      postings.unit[place] = unit[at] as number;
    }
  }
  return postings;
}
