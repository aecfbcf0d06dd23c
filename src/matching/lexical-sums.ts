import type { Weighted } from './shared-terms.ts';
import { atOnce, type Steps } from './steps.ts';
import type { LexicalIndex } from './text/lexical-index.ts';
import { invertInSteps } from './text/postings.ts';
import { createWeightedSums, STRETCHES, type WeightedSums } from './weighted-sums.ts';

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

/**
 * Prepares the sums: the weights of common terms are written out for every text, since whole arrays are added four numbers at a time.
 * @param kept numbers that there is to be room for beside them
 */
export const createLexicalSums = (...given: Parameters<typeof lexicalSumsInSteps>): LexicalSums =>
  atOnce(lexicalSumsInSteps(...given));

/** {@link createLexicalSums} in steps. */
export function* lexicalSumsInSteps(index: LexicalIndex, scored: number, kept = 0): Steps<LexicalSums> {
  const { rows, vocabulary } = index;
  const total = rows.starts[scored] as number;
  // Four numbers a posting, and of common terms at most 1 / COMMON more; four more for each of these arrays.
  const columnsAtMost = total / (scored * COMMON || 1);
  const sums = createWeightedSums(scored, kept, 4 * (total + 4) + Math.ceil(columnsAtMost) * (scored + 4));
  const { starts, documents, ...weighings } = yield* invertInSteps(rows, vocabulary.size, scored, sums);
  const { unit } = weighings;
  // By term; most have none.
  const columns: Float32Array[] = [];
  const columnOf = new Uint32Array(vocabulary.size);
  for (let term = 0; term < vocabulary.size; term += 1) {
    const [from, to] = [starts[term] as number, starts[term + 1] as number];
    if (to - from <= scored * COMMON) continue;
    yield;
    const column = sums.floats(scored);
    for (let at = from; at < to; at += 1) column[documents[at] as number] = unit[at] as number;
    columnOf[term] = columns.push(column);
  }
  const [few, all] = [sums.lend(), sums.lend()];

  /** Adds up terms in `few`, text by text; with `whole` the common ones are put there instead, as columns. */
  const scatter = ({ terms, weights }: Weighted, values: Float32Array, whole?: Whole): void => {
    few.fill(0);
    let count = 0;
    for (let each = 0; each < terms.length; each += 1) {
      const term = terms[each] as number;
      const weight = weights[each] as number;
      const column = whole ? (columnOf[term] as number) : 0;
      if (column > 0) {
        whole?.arrays.push(columns[column - 1] as Float32Array);
        whole?.factors.push(weight);
        continue;
      }
      sums.note(count, starts[term] as number, starts[term + 1] as number, weight);
      count += 1;
      if (count < STRETCHES) continue;
      sums.scatter(count, documents, values, few);
      count = 0;
    }
    sums.scatter(count, documents, values, few);
  };
  return {
    sums,
    phrase(wanted, weighing) {
      scatter(wanted, weighings[weighing]);
      return few;
    },
    paper(wanted) {
      const whole: Whole = { arrays: [few], factors: [1] };
      scatter(wanted, unit, whole);
      return sums.addUp(whole.arrays, whole.factors, all);
    },
  };
}

/** Arrays that are added whole, with their factors. */
type Whole = { readonly arrays: Float32Array[]; readonly factors: number[] };
