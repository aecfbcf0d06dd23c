import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLexicalSums } from '#src/matching/lexical-sums.ts';
import { createLexicalIndex, type Rows } from '#src/matching/text/lexical-index.ts';

const word = fc.constantFrom(
  'sheep',
  'wool',
  'lamb',
  'shear',
  'fold',
  'dog',
  'crook',
  'hill',
  'rain',
  'gate',
);
const text = fc.record({
  title: fc.array(word, { maxLength: 3 }).map((words) => words.join(' ')),
  abstract: fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
});

it('sums over shared words are those of the rows, of common words and rare ones, one after the other', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), fc.nat(20), (texts, without) => {
      const scored = Math.max(0, texts.length - without);
      const index = createLexicalIndex(texts, undefined, scored);
      const sums = createLexicalSums(index, scored);
      texts.forEach((_, at) => {
        const wanted = rowOf(index.rows, at);
        expectClose(
          sums.paper({ terms: wanted.terms, weights: wanted.unit }),
          (row) => product(wanted, rowOf(index.rows, row), 'unit'),
          scored,
        );
        for (const weighing of ['bm25', 'early'] as const)
          expectClose(
            sums.phrase({ terms: wanted.terms, weights: wanted.unit }, weighing),
            (row) => product(wanted, rowOf(index.rows, row), weighing),
            scored,
          );
      });
    }),
  );
});

const rowOf = ({ starts, terms, unit, bm25, early }: Rows, row: number) => {
  const cut = <Numbers extends Int32Array | Float32Array>(all: Numbers): Numbers =>
    all.subarray(starts[row], starts[row + 1]) as Numbers;
  return { terms: cut(terms), unit: cut(unit), bm25: cut(bm25), early: cut(early) };
};
type Row = ReturnType<typeof rowOf>;

const product = (wanted: Row, of: Row, weights: 'unit' | 'bm25' | 'early'): number =>
  wanted.terms.reduce((sum, term, at) => {
    const place = of.terms.indexOf(term);
    return place < 0 ? sum : sum + (wanted.unit[at] ?? 0) * (of[weights][place] ?? 0);
  }, 0);

function expectClose(found: Float32Array, expected: (row: number) => number, scored: number): void {
  expect(found.length).toBe(scored);
  found.forEach((value, row) => {
    expect(value).toBeCloseTo(expected(row), 5);
  });
}
