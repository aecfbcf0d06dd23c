import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceItem } from '#src/papers/paper.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { readSource } from '#test/support/read-source.ts';

const now = new Date('2026-06-03T09:00:00Z');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paperboy-files-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const read = (source: string, name: string, content: string | Buffer) =>
  readSource(source, { name, content }, now);
const summary = (items: SourceItem[]) =>
  items.map((item) =>
    item.type === 'listing'
      ? item.listing.paper.sourceId
      : item.type === 'fault'
        ? `${item.fault.line}: ${item.fault.message}`
        : item.type,
  );

describe('JSON lines', () => {
  it('reads what people write, and goes on after what it can’t read', async () => {
    const lines = [
      '{"id":"arXiv:2606.00001v2","title":"A\\n  B","summary":"S","authors":"A. One; B. Two","categories":"cs.CL cs.AI","day":"2026-6-2","upvotes":"7"}',
      'not json',
      '[1]',
      '{"title":"no abstract"}',
      '{"abstract":"no title"}',
      '',
      '{"doi":"https://doi.org/10.1101/X","title":"T","abstract":"","url":"javascript:alert(1)"}',
      '{"id":"my-1","title":"T\\u0000\\ud800","abstract":"a","published":"2026-05-30","withdrawn":true}',
    ];
    const items = await read('jsonl', 'papers.jsonl', `\ufeff${lines.join('\r\n')}`);
    expect(summary(items)).toEqual([
      '2606.00001',
      '2: not a JSON object',
      '3: not a JSON object',
      '4: no abstract',
      '5: no title',
      '10.1101/x',
      'my-1',
    ]);
    expect(items[0]).toMatchObject({
      listing: {
        listedOn: '2026-06-02',
        observedAt: new Date('2026-06-02T00:00:00Z'),
        signals: { upvotes: 7 },
        paper: { title: 'A B', authors: ['A. One', 'B. Two'], categories: ['cs.CL', 'cs.AI'], version: 2 },
      },
    });
    expect(items[5]).toMatchObject({ listing: { listedOn: '2026-06-03', observedAt: now } });
    expect(JSON.stringify(items[5])).not.toContain('javascript');
    expect(items[6]).toMatchObject({ listing: { paper: { title: 'T\ufffd', withdrawn: true } } });
  });

  it('says what is wrong with a file', async () => {
    expect(
      summary(
        await read(
          'jsonl',
          'a.jsonl',
          Buffer.from('{"title":"caf\xe9"}\n{"title":"T","abstract":"A"}', 'latin1'),
        ),
      ),
    ).toEqual(['1: not UTF-8 text', expect.any(String)]);
    const packed = gzipSync('{"title":"T","abstract":"A"}\n'.repeat(1000));
    expect((await read('jsonl', 'whole.gz', packed)).length).toBe(1000);
    expect((await read('jsonl', 'cut.gz', packed.subarray(0, packed.length - 9))).at(-1)).toMatchObject({
      type: 'fault',
    });
    expect(
      await read('jsonl', 'line.jsonl', `"${'x'.repeat(9_000_000)}"\n{"title":"T","abstract":"A"}`),
    ).toMatchObject([{ type: 'fault', fault: { line: 1 } }, { type: 'listing' }]);
    expect(await Array.fromAsync(createSources().get('jsonl')?.read({ now }) ?? [])).toMatchObject([
      { type: 'fault' },
    ]);
  });
});

describe('CSV', () => {
  it('reads quoted fields over several lines, other separators, and goes on after a bad row', async () => {
    const comma =
      '\ufefftitle,abstract,arxiv_id,authors\r\n"A, B","Two\nlines ""quoted""",2606.00001,"A. One; B. Two"\r\nX,Y,2606.00002\r\nT,Abstract,2606.00003,C\r\n';
    const items = await read('csv', 'papers.csv', comma);
    expect(new Set(summary(items))).toEqual(
      new Set(['2606.00001', '2606.00003', '4: Invalid Record Length: columns length is 4, got 3 on line 4']),
    );
    expect(items.find((item) => item.type === 'listing')).toMatchObject({
      listing: { paper: { title: 'A, B', abstract: 'Two\nlines "quoted"', authors: ['A. One', 'B. Two'] } },
    });
    expect(summary(await read('csv', 'semicolon.csv', 'title;abstract;id\nT;A;2606.00001\n'))).toEqual([
      '2606.00001',
    ]);
  });

  it('faults, never throws', async () => {
    expect(await read('csv', 'quote.csv', 'title,abstract\n"never closed,x\n')).toMatchObject([
      { type: 'fault' },
    ]);
    expect(await read('csv', 'empty.csv', '')).toEqual([]);
    expect(
      await Array.fromAsync(
        createSources()
          .get('csv')
          ?.read({ now, files: ['/no/such.csv'] }) ?? [],
      ),
    ).toMatchObject([{ type: 'fault' }]);
  });
});

describe('captured pages', () => {
  it('names file and line of an unknown layout, and goes on with the next file', async () => {
    const file = join(folder, 'page.txt');
    await writeFile(file, Buffer.from('Daily Papers\nA Title\n\xe9\n', 'latin1'));
    expect(
      await Array.fromAsync(
        createSources()
          .get('page')
          ?.read({ now, files: [file, '/no/such'] }) ?? [],
      ),
    ).toMatchObject([
      { type: 'fault', fault: { where: file, line: 3, message: 'not UTF-8 text' } },
      { type: 'fault', fault: { where: '/no/such' } },
    ]);
    expect(await read('page', 'other.txt', 'Daily Papers\nA Title\nshort\n')).toMatchObject([
      { type: 'fault', fault: { line: 3, message: expect.stringContaining('unknown layout') } },
    ]);
  });
});

describe('the daily list of Hugging Face', () => {
  it('takes an entry of any year, and faults what is none', async () => {
    const old = {
      paper: {
        id: '2405.15738',
        title: 'A\n  B',
        summary: 'S\nT',
        upvotes: 5,
        authors: [{ name: 'A. One', hidden: false }, { name: '' }, 'C', null],
      },
      publishedAt: '2024-05-27',
      numComments: 2,
    };
    const young = {
      paper: {
        ...old.paper,
        id: '2606.00001',
        submittedOnDailyAt: '2026-06-02T01:13:12Z',
        organization: { fullname: 'Lab' },
        githubRepo: 'https://x.example/y',
        githubStars: 80_000,
        ai_keywords: ['a', 1],
      },
      thumbnail: 'data:x',
    };
    const items = await read(
      'huggingface',
      '2024-05-27.json',
      JSON.stringify([old, young, {}, null, { paper: { id: 'x' } }]),
    );
    expect(items).toMatchObject([
      {
        listing: {
          listedOn: '2024-05-27',
          signals: { upvotes: 5, comments: 2 },
          paper: { title: 'A B', abstract: 'S\nT', authors: ['A. One', 'C'] },
        },
      },
      {
        listing: {
          listedOn: '2026-06-02',
          signals: { upvotes: 5, github_stars: 80_000 },
          paper: { organisation: 'Lab', keywords: ['a'] },
        },
      },
      { fault: { line: 3 } },
      { fault: { line: 4 } },
      { fault: { line: 5 } },
    ]);
    expect(await read('huggingface', 'no-day.json', JSON.stringify([old]))).toMatchObject([
      { fault: { message: expect.stringContaining("doesn't say its day") } },
    ]);
    // In a list of a week or a month the old entry says by itself when it was put on the list.
    const shown = (top: string, published: string) => ({
      ...old,
      publishedAt: top,
      paper: { ...old.paper, publishedAt: published },
    });
    const days = [
      shown('2024-05-27T03:50:58.348Z', '2024-05-24T17:34:15.000Z'),
      shown('2025-01-19T22:30:10.779Z', '2025-01-17T00:41:44.000Z'),
      shown('2025-05-28T13:58:59.000Z', '2025-05-28T17:58:59.000Z'),
    ];
    expect(await read('huggingface', 'week.json', JSON.stringify(days))).toMatchObject([
      { listing: { listedOn: '2024-05-27' } },
      { listing: { listedOn: '2025-01-20' } },
      { fault: { line: 3, message: expect.stringContaining('--from') } },
    ]);
    for (const bad of ['{}', '', 'garbage', '[{"paper":'])
      expect(await read('huggingface', 'bad.json', bad)).toMatchObject([{ type: 'fault' }]);
  });
});

describe('bioRxiv', () => {
  it('gives each version, unpadded dates and the journal’s DOI', async () => {
    const one = {
      doi: '10.1101/641381',
      title: 'T',
      authors: 'Tachiwana, H.; The Consortium',
      date: '2019-5-7',
      version: '1',
      type: 'new results',
      category: 'biochemistry',
      abstract: 'A',
      published: 'NA',
      license: 'cc_by_nc_nd',
      server: 'medRxiv',
    };
    const items = await read(
      'biorxiv',
      'details.json',
      JSON.stringify({
        messages: [{ status: 'ok', total: 3 }],
        collection: [one, { ...one, version: '2', published: '10.1000/J' }, { ...one, doi: '' }],
      }),
    );
    expect(items).toMatchObject([
      {
        listing: {
          source: 'medrxiv',
          listedOn: '2019-05-07',
          kind: 'new',
          paper: { authors: ['H. Tachiwana', 'The Consortium'], license: 'cc_by_nc_nd' },
        },
      },
      { listing: { kind: 'replace', paper: { version: 2, aliases: ['doi:10.1000/j'] } } },
      { fault: { line: 3 } },
    ]);
  });
});
