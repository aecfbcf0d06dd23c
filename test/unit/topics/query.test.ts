import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from '#src/topics/query/parse.ts';
import { QUERY_LIMITS } from '#src/topics/query/query.ts';

const canonical = (text: string): string => {
  const parsed = parseQuery(text);
  return parsed.type === 'ok' ? parsed.canonical : `${parsed.position}: ${parsed.message}`;
};

describe('the query language', () => {
  it.each([
    ['Diffusion models  for Speech', 'text', 'diffusion models for speech'],
    ['LLMs: a survey - part two', 'text', 'llms a survey part two'],
    ['“Latent Diffusion” -survey', 'filter', '"latent diffusion" -survey'],
    ['a OR b c', 'filter', 'a OR b c'],
    ['(a OR b) c', 'filter', '(a OR b) c'],
    ['((a))', 'text', 'a'],
    ['a -', 'text', 'a'],
    ['x AND NOT y', 'filter', 'x -y'],
    ['a -(b OR c)', 'filter', 'a -(b OR c)'],
    ['Author:"Lovelace, Ada" CAT:CS.cl', 'filter', 'author:"Ada Lovelace" cat:cs.CL'],
    ['org:DeepMind title:survey after:2026-01-31', 'filter', 'org:DeepMind title:survey after:2026-01-31'],
    ['cat:cs after:2026-01-31', 'filter', 'cat:cs.* after:2026-01-31'],
  ])('reads %s', (text, type, expected) => {
    const parsed = parseQuery(text);
    expect(parsed).toMatchObject({ type: 'ok', canonical: expected, query: { type } });
    expect(canonical(expected)).toBe(expected);
  });

  it.each([
    ['', 1, 'empty'],
    ['   ', 1, 'empty'],
    ['"open', 1, 'never closed'],
    ['a (b', 3, 'never closed'],
    ['a) b', 2, 'no opening'],
    ['a OR', 3, 'after it'],
    ['OR a', 1, 'before it'],
    ['a ()', 3, 'nothing in these brackets'],
    ['foo autor:x', 5, 'write author:'],
    ['foo bar:x', 5, 'there is no field "bar:"'],
    ['cat:cs.CX x', 5, 'no arXiv category'],
    ['x after:soon', 9, 'year-month-day'],
    ['x after:2026-02-30', 9, 'year-month-day'],
    ['x cat:', 7, 'needs a value'],
    ['a "" b', 3, 'empty'],
    ['-a', 1, 'only leaves papers out'],
    ['a OR -b', 1, 'only leaves papers out'],
    ['a --b', 4, 'two minus'],
    ['author:"!!" x', 8, 'empty'],
    ['author:12 x', 8, 'at least one letter'],
  ])('tells the mistake in %s', (text, position, message) => {
    const parsed = parseQuery(text);
    expect(parsed).toMatchObject({ type: 'invalid', position });
    expect(parsed).toHaveProperty('message', expect.stringContaining(message));
  });

  it('bounds length, terms and depth', () => {
    expect(canonical('a'.repeat(501))).toMatch(/^501: .*at most 500/);
    expect(canonical(`"x" ${'b '.repeat(QUERY_LIMITS.terms)}`)).toMatch(/at most 32/);
    expect(canonical(`${'('.repeat(9)}a${')'.repeat(9)} -b`)).toMatch(/8 deep/);
  });

  it('answers any text, and its canonical form means itself', () => {
    const PIECES =
      'a|B-c|"d e"|-|(|)| OR |AND|NOT|cat:cs.CL|author:|"Lovelace, A"| |title:|:|"|after:2026-01-01|é|İ|字|\u0000|org:';
    const piece = fc.constantFrom(...PIECES.split('|'));
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.array(piece).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (typed) => {
        const parsed = parseQuery(typed);
        if (parsed.type === 'invalid') {
          expect(parsed.position).toBeGreaterThanOrEqual(1);
          expect(parsed.position).toBeLessThanOrEqual(Math.max(1, typed.length + 1));
          return;
        }
        const again = parseQuery(parsed.canonical);
        expect(again).toEqual(parsed);
      }),
      { numRuns: 3000 },
    );
  });
});
