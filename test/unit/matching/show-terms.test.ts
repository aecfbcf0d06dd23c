import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTermMemory, createTextNumbers } from '#src/matching/text/show-terms.ts';
import { offsetsOf, stemsOf } from '#src/matching/text/tokens.ts';

describe('the memory of shown terms', () => {
  const numbers = createTextNumbers();
  const remember = createTermMemory(1000, numbers);
  const termsOf = (list: number, position: number): string[] =>
    Array.from({ length: (list + position) % 4 }, (_, at) => `${list} ${position} ${at}`);

  it('gives what the wrapped way gives, however many lists and positions come', () => {
    const lists = Array.from({ length: 200 }, (_, list) => remember((position) => termsOf(list, position)));
    for (let round = 0; round < 2; round += 1)
      for (let position = 0; position < 1000; position += 1)
        for (const [list, terms] of lists.entries())
          if (terms(position).join() !== termsOf(list, position).join())
            expect(terms(position)).toEqual(termsOf(list, position));
  });

  it('does not seek again what was just asked for', () => {
    let sought = 0;
    const terms = remember(() => {
      sought += 1;
      return ['once'];
    });
    expect([terms(7), terms(7), terms(7)]).toEqual([['once'], ['once'], ['once']]);
    expect(sought).toBe(1);
  });
});

describe('the places of words', () => {
  const accents = fc.constantFrom('\u0301', '\u0308', '\u20dd', '\u0301'.repeat(41));
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    accents,
    fc.constantFrom("models'", "model's", '拡散', ' ', '-'),
  );

  it('are those of the stems that are read', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const { starts, ends } = offsetsOf(text);
        const words = Array.from(starts, (start, at) => text.slice(start, ends[at]));
        expect(words.flatMap(stemsOf)).toEqual(stemsOf(text));
        expect(starts.every((start, at) => at === 0 || start >= (ends[at - 1] ?? 0))).toBe(true);
      }),
    );
  });
});
