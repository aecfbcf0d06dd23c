import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPairTable } from '#src/matching/text/pair-table.ts';

it('finds what was set last for each pair, and nothing else', () => {
  const number = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2 ** 26 - 1 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number, fc.nat()), { maxLength: 3000, size: 'max' }), (entries) => {
      const table = createPairTable();
      const map = new Map<string, number>();
      for (const [left, right, value] of entries) {
        expect(table.get(left, right)).toBe(map.get(`${left} ${right}`));
        table.set(left, right, value);
        map.set(`${left} ${right}`, value);
      }
      for (const [left, right] of entries) expect(table.get(left, right)).toBe(map.get(`${left} ${right}`));
    }),
    { numRuns: 20 },
  );
});
