import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoDate, type PaperId } from '#src/database/ids.ts';
import { type Reminder, withReminders } from '#src/digests/reminders.ts';
import type { Choice } from '#src/matching/types.ts';

const match = (paper: number): Choice => ({
  paper: paper as PaperId,
  score: 1,
  reasons: [{ type: 'liked', paper: 0 as PaperId, title: '', terms: [], weight: 1 }],
});
const fill = (paper: number): Choice => ({
  paper: paper as PaperId,
  score: 0.1,
  reasons: [{ type: 'trending', weight: 0.1, fill: true }],
});
const aside = (paper: number, overdue = false): Reminder => ({
  paper: paper as PaperId,
  on: isoDate('2026-06-01'),
  overdue,
});
const ids = (choices: readonly Choice[]) => choices.map(({ paper }) => paper);

describe('reminders in a digest', () => {
  it('stand behind what matches and before what fills up, two at most', () => {
    const chosen = [match(1), match(2), fill(3), fill(4), fill(5)];
    expect(ids(withReminders(chosen, [aside(7), aside(8), aside(9)], 5))).toEqual([1, 2, 7, 8, 3]);
    expect(ids(withReminders([], [aside(7)], 5))).toEqual([7]);
    expect(withReminders([match(1)], [aside(7)], 5)[1]).toEqual({
      paper: 7,
      score: 0,
      reasons: [{ type: 'reminder', on: '2026-06-01', weight: 0 }],
    });
  });

  it('wait for a free place, but not for ever', () => {
    const full = [match(1), match(2)];
    expect(withReminders(full, [aside(7)], 2)).toBe(full);
    expect(ids(withReminders(full, [aside(7, true), aside(8, true)], 2))).toEqual([1, 7]);
  });

  it('never make a digest longer, nor show a paper twice', () => {
    const chosenOf = fc
      .tuple(fc.nat({ max: 8 }), fc.nat({ max: 8 }))
      .map(([matches, fills]) => [
        ...Array.from({ length: matches }, (_, at) => match(at + 1)),
        ...Array.from({ length: fills }, (_, at) => fill(at + 101)),
      ]);
    const asides = fc
      .uniqueArray(fc.integer({ min: 201, max: 220 }), { maxLength: 6 })
      .chain((papers) =>
        fc.tuple(...papers.map((paper) => fc.boolean().map((overdue) => aside(paper, overdue)))),
      );
    fc.assert(
      fc.property(chosenOf, asides, fc.integer({ min: 1, max: 10 }), (chosen, reminders, limit) => {
        const cut = chosen.slice(0, limit);
        const shown = ids(withReminders(cut, reminders, limit));
        expect(shown.length).toBeLessThanOrEqual(limit);
        expect(shown.length).toBeGreaterThanOrEqual(cut.length);
        expect(new Set(shown).size).toBe(shown.length);
      }),
    );
  });
});
