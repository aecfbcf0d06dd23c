import { describe, expect, test } from 'vitest';
import { coverageLine } from '#src/mail/coverage-words.ts';
import { LANGUAGES, localeOf } from '#src/mail/languages.ts';

const english = localeOf('en');
const nothing = { fresh: [], late: [], quiet: [] };

describe('the coverage line', () => {
  test('tells what was new, chosen, had already and late', () => {
    const coverage = { ...nothing, fresh: [{ name: 'cs.AI', count: 428 }], late: ['cs.CL'] };
    expect(coverageLine(english, { shown: 9, candidates: 1428, had: 31, coverage })).toBe(
      '428 new in cs.AI · 9 of 1,428 papers chosen for you · 31 you already had · cs.CL is late',
    );
  });

  test('leaves out what is not known', () => {
    expect(coverageLine(english, { shown: 1, candidates: 1, had: null, coverage: null })).toBe(
      '1 of 1 papers chosen for you',
    );
  });

  test('stays short when much is late, and says that a day is quiet', () => {
    const coverage = { ...nothing, late: ['cs.AI', 'cs.CL', 'cs.CV', 'cs.LG', 'cs.RO'] };
    expect(coverageLine(english, { shown: 1, candidates: 4, had: 0, coverage })).toContain(
      'cs.AI, cs.CL, cs.CV +2 are late',
    );
    const quiet = ['arXiv', 'Hugging Face'].map((name) => ({ name, why: 'weekend' as const }));
    expect(coverageLine(english, { shown: 1, candidates: 4, had: 0, coverage: { ...nothing, quiet } })).toBe(
      '1 of 4 papers chosen for you · a quiet day at arXiv and Hugging Face: weekend',
    );
  });

  test.each(LANGUAGES)('has every part in %s', (language) => {
    const coverage = {
      fresh: [{ name: 'cs.AI', count: 428 }],
      late: ['cs.CL'],
      quiet: [{ name: 'Hugging Face', why: 'holiday' as const }],
    };
    const line = coverageLine(localeOf(language), { shown: 9, candidates: 77, had: 31, coverage });
    expect(line.split(' · ')).toHaveLength(5);
    for (const text of ['428', 'cs.AI', '9', '77', '31', 'cs.CL', 'Hugging Face'])
      expect(line).toContain(text);
    expect(line).not.toMatch(/[{}]/);
  });
});
