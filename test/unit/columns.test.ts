import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitIds } from '#src/database/columns.ts';

test('ids in one text come back as they were, up to the largest exact number; none is none', () => {
  const ids = fc.array(fc.maxSafeNat(), { minLength: 1 });
  fc.assert(
    fc.property(ids, (given) => {
      expect(splitIds(given.join(','))).toEqual(given);
    }),
  );
  expect(splitIds(`${Number.MAX_SAFE_INTEGER},0`)).toEqual([Number.MAX_SAFE_INTEGER, 0]);
  for (const none of [null, undefined, '']) expect(splitIds(none)).toEqual([]);
});
