import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoDate, type PaperId } from '#src/database/ids.ts';
import { identifiersOf } from '#src/papers/identity.ts';
import type { ListingRecord, PaperRecord } from '#src/papers/paper.ts';
import { resolveWorks, type StoredWork, type Work } from '#src/papers/works.ts';

const SOURCES = ['huggingface', 'jsonl', 'biorxiv', 'page'];
const listing = (source: string, paper: Partial<PaperRecord>): ListingRecord => ({
  source,
  listedOn: isoDate('2026-06-02'),
  kind: 'daily',
  section: '',
  observedAt: new Date('2026-06-02T00:00:00Z'),
  paper: { sourceId: paper.arxivId ?? paper.doi ?? 'x', title: 'T', abstract: 'A', ...paper },
});

/** Places batches one after the other, as the store does with its transactions, and gives the works at the end. */
function works(batches: readonly (readonly ListingRecord[])[]): Work[] {
  let stored: StoredWork[] = [];
  let nextId = 1;
  let last: Work[] = [];
  for (const batch of batches) {
    const { place, current } = resolveWorks(stored);
    const placed = new Set(batch.map(place).map(current));
    const gone = new Set([...placed].flatMap(({ absorbed }) => absorbed));
    for (const work of placed) work.id ??= nextId++ as PaperId;
    const kept = stored.filter(({ id }) => !gone.has(id) && ![...placed].some((work) => work.id === id));
    stored = [
      ...kept,
      ...[...placed].map(({ id, row, identifiers }) => ({
        id: id as PaperId,
        row,
        identifiers: [...identifiers],
      })),
    ];
    last = stored.map(({ id, row, identifiers }) => ({
      id,
      row,
      identifiers: new Set(identifiers),
      absorbed: [],
      changed: false,
      replacedBy: null,
    }));
  }
  return last;
}

const pool = (prefix: string, size: number) =>
  fc.option(
    fc.nat(size - 1).map((n) => `${prefix}${n}`),
    { nil: undefined },
  );
/** Any records over few names, so that they meet in every way. */
const anyRecord = fc
  .record({
    source: fc.constantFrom(...SOURCES),
    arxivId: pool('2606.0000', 4),
    doi: pool('10.1000/', 4),
    alias: pool('doi:10.1000/', 4),
    sourceId: fc.nat(3).map(String),
  })
  .map(({ source, alias, arxivId, doi, sourceId }) =>
    listing(source, {
      sourceId,
      ...(arxivId ? { arxivId } : {}),
      ...(doi ? { doi } : {}),
      ...(alias ? { aliases: [alias] } : {}),
    }),
  );
/** Records of works whose names are their own: no DOI is claimed by two arXiv ids. */
const honestRecord = fc
  .record({
    work: fc.nat(4),
    source: fc.constantFrom(...SOURCES),
    names: fc.subarray(['arxivId', 'doi', 'alias'] as const, { minLength: 1 }),
  })
  .map(({ work, source, names }) =>
    listing(source, {
      sourceId: `${source}-${work}`,
      ...(names.includes('arxivId') ? { arxivId: `2606.0000${work}` } : {}),
      ...(names.includes('doi') ? { doi: `10.1000/${work}` } : {}),
      ...(names.includes('alias') ? { aliases: [`doi:10.2000/${work}`] } : {}),
    }),
  );

describe('which work a record belongs to', () => {
  it('no name belongs to two works, and no work has two arXiv ids, whatever is claimed', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyRecord, { maxLength: 6 }), { maxLength: 5 }), (batches) => {
        const all = works(batches);
        const names = all.flatMap(({ identifiers }) => [...identifiers]);
        expect(names.length).toBe(new Set(names).size);
        for (const { row, identifiers } of all) {
          const arxivIds = [...identifiers].filter((name) => name.startsWith('arxiv:'));
          expect(arxivIds).toEqual(row.arxivId === null ? [] : [`arxiv:${row.arxivId}`]);
        }
        for (const field of ['arxivId', 'doi'] as const) {
          const held = all.map(({ row }) => row[field]).filter((value) => value !== null);
          expect(held.length).toBe(new Set(held).size);
        }
        for (const record of batches.flat())
          if (record.paper.arxivId) expect(names).toContain(`arxiv:${record.paper.arxivId}`);
      }),
    );
  });

  it('records that share a name meet, in whatever order and batches they come', () => {
    fc.assert(
      fc.property(
        fc.array(honestRecord, { minLength: 1, maxLength: 20 }),
        fc.nat(20),
        fc.nat(),
        (records, cut, seed) => {
          const partition = (batches: readonly (readonly ListingRecord[])[]) =>
            works(batches)
              .map(({ identifiers }) => [...identifiers].sort().join(' '))
              .sort();
          const components = partition([records]);
          const shuffled = records
            .map((record, index) => ({ record, key: ((index + 1) * (seed + 7919)) % 1009 }))
            .toSorted((one, other) => one.key - other.key)
            .map(({ record }) => record);
          expect(partition([records.slice(0, cut), records.slice(cut)])).toEqual(components);
          expect(partition(shuffled.map((record) => [record]))).toEqual(components);
          expect(components).toEqual(connected(records));
        },
      ),
    );
  });

  it('a DOI that two arXiv papers claim joins neither to the other, also over a third record', () => {
    const all = works([
      [listing('arxiv', { arxivId: '2606.00001', doi: '10.1000/1' })],
      [listing('arxiv', { arxivId: '2606.00002', doi: '10.1000/2' })],
      [listing('biorxiv', { doi: '10.1000/1', aliases: ['doi:10.1000/2'] })],
    ]);
    expect(new Set(all.map(({ row }) => row.arxivId))).toEqual(new Set(['2606.00001', '2606.00002']));
  });
});

/** Connected components over shared names, the plain way. */
function connected(records: readonly ListingRecord[]): string[] {
  let groups: Set<string>[] = [];
  for (const record of records) {
    const names = new Set(identifiersOf(record.source, record.paper));
    const touching = groups.filter((group) => !group.isDisjointFrom(names));
    groups = [
      ...groups.filter((group) => !touching.includes(group)),
      touching.reduce((all, group) => all.union(group), names),
    ];
  }
  return groups.map((group) => [...group].sort().join(' ')).sort();
}
