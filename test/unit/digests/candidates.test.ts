import { expect, test } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { remembered } from '#src/digests/candidates.ts';

test('a paper listed once more is a candidate only while the ledger knows who had it', () => {
  const listed = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-06-10'].map((date) => ({
    firstListedOn: isoDate(date),
  }));
  // 100 days before 10 June is 2 March: an edition of that day is still there, one of 1 March may not be.
  expect(remembered(listed, isoDate('2026-06-10'), 100)).toEqual(listed.slice(2));
  expect(remembered([{ firstListedOn: null }], isoDate('2026-06-10'), 100)).toHaveLength(1);
});
