import type { Weighted } from './shared-terms.ts';
import type { LexicalIndex } from './text/lexical-index.ts';
import { createWeightedSums, type WeightedSums } from './weighted-sums.ts';

/** What the scored texts of an index score in words. A result is written over by the next. */
export type LexicalSums = {
  /** BM25 with the weighted terms of a phrase. */
  phrase(wanted: Weighted, weighing: 'bm25' | 'early'): Float32Array;
  /** Cosines with the row of a paper. */
  paper(wanted: Weighted): Float32Array;
  /** Where they stand: other arrays are added to them for less. */
  readonly sums: WeightedSums;
};

/** Terms that more than this share of the texts hold: three quarters of what is added up for a paper. */
const COMMON = 1 / 4;

/** Prepares the sums: the weights of common terms are written out for every text, since whole arrays are added four numbers at a time. */
export function createLexicalSums({ postings }: LexicalIndex, scored: number): LexicalSums {
  const { starts, documents, unit } = postings;
  const holders = (term: number): number => (starts[term + 1] as number) - (starts[term] as number);
  const common: number[] = [];
  for (let term = 0; term + 1 < starts.length; term += 1)
    if (holders(term) > scored * COMMON) common.push(term);
  const sums = createWeightedSums(scored, common.length * (scored + 4));
  const columns = new Map(
    common.map((term) => {
      const column = new Float32Array(scored);
      for (let at = starts[term] as number; at < (starts[term + 1] as number); at += 1)
        column[documents[at] as number] = unit[at] as number;
      return [term, sums.keep(column)];
    }),
  );
  const scattered = new Float64Array(scored);
  const [few, all] = [sums.lend(), sums.lend()];

  const add = (term: number, weight: number, values: Float32Array): void => {
    const end = starts[term + 1] as number;
    for (let at = starts[term] as number; at < end; at += 1) {
      const row = documents[at] as number;
      scattered[row] = (scattered[row] as number) + weight * (values[at] as number);
    }
  };
  return {
    sums,
    phrase({ terms, weights }, weighing) {
      scattered.fill(0);
      for (let each = 0; each < terms.length; each += 1)
        add(terms[each] as number, weights[each] as number, postings[weighing]);
      few.set(scattered);
      return few;
    },
    paper({ terms, weights }) {
      scattered.fill(0);
      const arrays = [few];
      const factors = [1];
      for (let each = 0; each < terms.length; each += 1) {
        const [term, weight] = [terms[each] as number, weights[each] as number];
        const column = columns.get(term);
        if (column) {
          arrays.push(column);
          factors.push(weight);
        } else add(term, weight, unit);
      }
      few.set(scattered);
      return sums.addUp(arrays, factors, all);
    },
  };
}
