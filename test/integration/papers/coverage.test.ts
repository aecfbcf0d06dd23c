import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { coverageView } from '#src/papers/coverage.ts';
import { createEditionCoverage, createLatestSlot } from '#src/papers/edition-coverage.ts';
import { ingestCommand } from '#src/papers/ingest-command.ts';
import type { ListingRecord } from '#src/papers/paper.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { hasSharedData, sharedData, skipNote } from '#test/support/shared-data.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.destroy());

describe('an edition’s coverage', () => {
  it('counts new, cross-listed, replaced and repeated papers by category, as of then', async () => {
    const store = createPaperStore(test);
    const listing = (id: string, categories: string[], more: Partial<ListingRecord> = {}): ListingRecord => ({
      source: 'arxiv',
      listedOn: isoDate('2026-06-02'),
      kind: 'new',
      section: categories[0] ?? '',
      observedAt: new Date('2026-06-02T04:00:00Z'),
      paper: { sourceId: id, arxivId: id, title: 'T', abstract: 'A', categories },
      ...more,
    });
    await store.put([
      listing('2606.00001', ['cs.AI', 'cs.CL']),
      listing('2606.00002', ['cs.AI']),
      listing('2606.00099', ['cs.AI'], { kind: 'daily', section: '' }),
      listing('2606.00002', ['cs.AI'], { section: 'cs.CL' }),
      listing('2605.00003', ['cs.RO', 'cs.AI'], { kind: 'cross', section: 'cs.AI' }),
      listing('2601.00004', ['cs.AI'], { kind: 'replace' }),
      listing('2606.00005', ['cs.AI'], {
        listedOn: isoDate('2026-06-01'),
        observedAt: new Date('2026-06-01T04:00:00Z'),
      }),
      listing('2606.00005', ['cs.AI']),
      listing('2606.00006', ['cs.AI'], { observedAt: new Date('2026-06-02T09:00:00Z') }),
    ]);
    const coverage = createEditionCoverage({
      database: test.database,
      expected: { sources: ['arxiv', 'huggingface'], arxivCategories: ['cs.AI', 'cs.CL', 'cs.*'] },
    });
    expect(await coverage(isoDate('2026-06-02'), new Date('2026-06-02T07:00:00Z'))).toEqual([
      {
        source: 'arxiv',
        section: 'cs.AI',
        received: 5,
        fresh: 2,
        crossed: 1,
        replaced: 1,
        repeated: 1,
        expected: 1,
        state: 'complete',
      },
      {
        source: 'arxiv',
        section: 'cs.CL',
        received: 1,
        fresh: 0,
        crossed: 1,
        replaced: 0,
        repeated: 0,
        expected: null,
        state: 'late',
      },
      {
        source: 'arxiv',
        section: 'cs.*',
        received: 5,
        fresh: 2,
        crossed: 1,
        replaced: 1,
        repeated: 1,
        expected: 1,
        state: 'complete',
      },
      {
        source: 'huggingface',
        section: '',
        received: 0,
        fresh: 0,
        crossed: 0,
        replaced: 0,
        repeated: 0,
        expected: null,
        state: 'waiting',
      },
    ]);
    await sql`truncate papers cascade`.execute(test.database);
  });
});

describe.skipIf(!hasSharedData)(`the recorded month${skipNote}`, () => {
  it('tells week-ends, a holiday, a list that was not renewed and a day that was cut', async () => {
    const sources = createSources();
    const store = createPaperStore(test);
    for (const [source, folder] of [
      ['arxiv', 'arxiv-listings'],
      ['huggingface', 'hf-daily-papers'],
    ] as const)
      await ingestCommand(
        { sources, store, now: () => new Date('2026-07-01T00:00:00Z') },
        { source, files: [`${sharedData}/wire/${folder}`] },
      );
    const categories = ['cs.AI', 'cs.CL', 'cs.CV'];
    const of = createEditionCoverage({
      database: test.database,
      expected: { sources: ['arxiv', 'huggingface'], arxivCategories: categories },
    });
    const states = async (day: string, hour = '20') => {
      const parts = await of(isoDate(`2026-06-${day}`), new Date(`2026-06-${day}T${hour}:00:00Z`));
      return parts.map(({ state }) => state).join(' ');
    };
    for (const day of [
      '02',
      '03',
      '04',
      '09',
      '10',
      '11',
      '12',
      '15',
      '16',
      '17',
      '18',
      '19',
      '23',
      '24',
      '26',
      '30',
    ])
      expect(`${day} ${await states(day)}`).toBe(`${day} complete complete complete complete`);
    for (const day of ['06', '07', '13', '14', '20', '21', '27', '28'])
      expect(await states(day)).toBe('quiet quiet quiet quiet');
    expect(await states('22')).toBe('quiet quiet quiet complete');
    // Recorded cut: 26 papers, hardly any of these categories.
    expect(await states('25')).toBe('late late late complete');
    expect(await states('05')).toBe('complete complete complete late');
    const slot = createLatestSlot({
      database: test.database,
      expected: { sources: ['arxiv', 'huggingface'], arxivCategories: categories },
      patienceMs: 3_600_000,
    });
    const at = (time: string) => new Date(`2026-06-${time}:00Z`);
    expect(await slot(at('24T08:00'))).toEqual(at('24T08:00'));
    // Not due yet, though Australia is up.
    expect(await slot(at('25T00:30'))).toEqual(at('25T00:30'));
    expect(await slot(at('25T07:00'))).toEqual(at('25T06:00'));
    expect(await slot(at('25T07:20'))).toEqual(at('25T06:20'));
    expect(await slot(at('21T07:00'))).toEqual(at('21T07:00'));
    expect(coverageView(await of(isoDate('2026-06-25'), new Date('2026-06-25T20:00:00Z')))).toEqual({
      fresh: [{ name: 'Hugging Face', count: 24 }],
      late: ['cs.AI', 'cs.CL', 'cs.CV'],
      quiet: [],
    });
    expect(coverageView(await of(isoDate('2026-06-22'), new Date('2026-06-22T20:00:00Z')))).toEqual({
      fresh: [{ name: 'Hugging Face', count: 9 }],
      late: [],
      quiet: [{ name: 'arXiv', why: 'holiday' }],
    });
  });
});
