import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import type { ListingRecord, PaperRecord } from '#src/papers/paper.ts';
import { createPaperStore, type PaperStore } from '#src/papers/paper-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let test: TestDatabase;
let store: PaperStore;
beforeAll(async () => {
  test = await createTestDatabase();
  store = createPaperStore(test);
});
afterAll(() => test.destroy());
beforeEach(() =>
  sql`truncate papers, listings, signals, paper_identifiers, feedback, editions, digests, subscribers cascade`.execute(
    test.database,
  ),
);

const day = isoDate('2026-06-02');
const listing = (
  paper: Partial<PaperRecord> & { sourceId: string },
  more: Partial<ListingRecord> = {},
): ListingRecord => ({
  source: 'jsonl',
  listedOn: day,
  kind: 'daily',
  section: '',
  observedAt: new Date('2026-06-02T00:00:00Z'),
  paper: { title: `Title of ${paper.sourceId}`, abstract: `Abstract of ${paper.sourceId}`, ...paper },
  ...more,
});
const count = async (table: string) =>
  (await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(test.database))
    .rows[0]?.n;

describe('storing', () => {
  it('keeps every field as it came', async () => {
    const paper = {
      sourceId: 'x',
      arxivId: '2606.01234',
      doi: '10.1/x',
      title: 'σ-GPTs: "quoted" \\alpha {x}, NULL & <b>',
      abstract: 'From the start\r\n.\n  100% \\begin{x} ☃ 𝒳',
      authors: ['Ada "The Countess" Lovelace', 'O\\Brien, {P}', 'NULL', ''],
      categories: ['cs.CL', 'cs.AI'],
      organisation: 'A, B & C',
      keywords: ['a,b', '{}'],
      comment: '12 pages',
      license: 'cc_by, "{x}"',
      version: 2,
      publishedAt: new Date('2026-06-01T17:59:59Z'),
      url: 'https://arxiv.org/abs/2606.01234',
      codeUrl: 'https://example.org/x?a=1&b=2',
    };
    const { papers } = await store.put([listing(paper, { signals: { upvotes: 7, github_stars: 80_000 } })]);
    const [stored] = await store.papersByIds(papers);
    const { sourceId: _sourceId, comment: _comment, version: _version, ...fields } = paper;
    expect(stored).toEqual({
      ...fields,
      id: papers[0],
      identity: 'arxiv:2606.01234',
      pdfUrl: null,
      projectUrl: null,
      thumbnailUrl: null,
      firstListedOn: day,
      withdrawnAt: null,
      upvotes: 7,
      comments: null,
      githubStars: 80_000,
    });
    const row = await test.database.selectFrom('papers').select(['license', 'provenance']).executeTakeFirst();
    expect(row).toMatchObject({ license: paper.license, provenance: { license: 'jsonl' } });
  });

  it('is idempotent', async () => {
    const batch = [listing({ sourceId: 'a' }, { signals: { upvotes: 1 } }), listing({ sourceId: 'b' })];
    const first = await store.put(batch);
    const before = await sql`select * from papers order by id`.execute(test.database);
    const second = await store.put(batch);
    expect(second).toEqual({ ...first, created: [] });
    expect((await sql`select * from papers order by id`.execute(test.database)).rows).toEqual(before.rows);
    expect([await count('papers'), await count('listings'), await count('signals')]).toEqual([2, 2, 1]);
  });

  it('takes the same batch from many writers at once', async () => {
    const batch = Array.from({ length: 50 }, (_, n) => listing({ sourceId: `s${n}`, doi: `10.1/${n}` }));
    await Promise.all([store.put(batch), store.put(batch.toReversed()), store.put(batch)]);
    expect(await count('papers')).toBe(50);
  });

  it('keeps the best of each field and where it came from', async () => {
    const arxiv = { source: 'arxiv' };
    const huggingface = { source: 'huggingface' };
    await store.put([
      listing({ sourceId: 'h', arxivId: '2606.1111', title: 'From HF', organisation: 'Lab' }, huggingface),
    ]);
    await store.put([
      listing({ sourceId: 'a', arxivId: '2606.1111', title: 'From arXiv', version: 2 }, arxiv),
    ]);
    await store.put([
      listing({ sourceId: 'a', arxivId: '2606.1111', title: 'Older version', version: 1 }, arxiv),
    ]);
    await store.put([
      listing({ sourceId: 'h', arxivId: '2606.1111', title: 'From HF again', abstract: '' }, huggingface),
    ]);
    const { rows } = await sql<
      Record<string, unknown>
    >`select title, organisation, version, provenance from papers`.execute(test.database);
    expect(rows).toEqual([
      {
        title: 'From arXiv',
        organisation: 'Lab',
        version: 2,
        provenance: {
          title: 'arxiv',
          abstract: 'arxiv',
          organisation: 'huggingface',
          arxivId: 'arxiv',
        },
      },
    ]);
  });
});

describe('identity', () => {
  it('never merges by likeness of titles', async () => {
    const papers = ['A Paper', 'A paper', 'A Paper.'].map((title, n) =>
      listing({ sourceId: `t${n}`, title }),
    );
    await store.put(papers);
    expect(await count('papers')).toBe(3);
  });

  it('merges two rows when a later record connects them, with all that hangs on them', async () => {
    const { papers } = await store.put([
      listing({ sourceId: 'p', doi: '10.1/x', organisation: 'Lab' }, { signals: { upvotes: 3 } }),
      listing({ sourceId: 'q', arxivId: '2606.1111' }, { section: 'cs.CL', signals: { upvotes: 5 } }),
      listing({ sourceId: 'r' }),
    ]);
    const [kept, gone, other] = papers as unknown as [number, number, number];
    await sql`insert into subscribers (email, email_key, state) values ('a@b.example', 'a@b.example', 'active')`.execute(
      test.database,
    );
    await sql`insert into feedback (subscriber_id, paper_id, verdict) select id, ${gone}, 'more' from subscribers`.execute(
      test.database,
    );
    await sql`insert into editions (edition_date, candidates) values (${day}, ${[other, gone, kept]}::bigint[])`.execute(
      test.database,
    );
    await sql`insert into digests (edition_date, subscriber_id, paper_ids, slot_at, due_at, deadline)
      select current_date, n, ids::bigint[], now(), now(), now()
      from (values (1, ${[gone, other]}::bigint[]), (2, ${[gone, kept]}::bigint[])) v(n, ids)`.execute(
      test.database,
    );

    const report = await store.put([listing({ sourceId: 'z', arxivId: '2606.1111', doi: '10.1/x' })]);
    expect(report).toMatchObject({ papers: [kept], created: [], merged: [gone] });
    const [paper] = await store.papersByIds([kept as never]);
    expect(paper).toMatchObject({ arxivId: '2606.1111', doi: '10.1/x', organisation: 'Lab' });
    expect(await count('papers')).toBe(2);
    const identifiers = await store.idsByIdentifiers([
      'arxiv:2606.1111',
      'doi:10.1/x',
      'jsonl:p',
      'jsonl:q',
      'jsonl:z',
    ]);
    expect(new Set(identifiers.values())).toEqual(new Set([kept]));
    expect(identifiers.size).toBe(5);
    const hanging =
      await sql`select (select array_agg(section order by section) from listings where paper_id = ${kept}) as sections,
      (select array_agg(paper_id) from feedback) as feedback, (select candidates from editions) as candidates,
      (select array_agg(paper_ids order by subscriber_id) from (select subscriber_id, paper_ids::text from digests) d) as digests`.execute(
        test.database,
      );
    expect(hanging.rows).toEqual([
      {
        sections: ['', 'cs.CL'],
        feedback: [kept],
        candidates: [other, kept],
        digests: [`{${kept},${other}}`, `{${gone},${kept}}`],
      },
    ]);
  });

  it('merges within a batch too', async () => {
    const { papers } = await store.put([
      listing({ sourceId: 'p', doi: '10.1/x' }),
      listing({ sourceId: 'q', arxivId: '2606.1111' }),
      listing({ sourceId: 'z', arxivId: '2606.1111', doi: '10.1/x' }),
    ]);
    expect(new Set(papers).size).toBe(1);
    expect(await count('papers')).toBe(1);
  });

  it('never makes two arXiv ids one paper, though both claim a DOI', async () => {
    const { papers } = await store.put([
      listing({ sourceId: 'p', arxivId: '2606.1111', doi: '10.1/x' }),
      listing({ sourceId: 'q', arxivId: '2606.2222', doi: '10.1/x' }),
    ]);
    expect((await store.papersByIds(papers)).map(({ doi }) => doi)).toEqual(['10.1/x', null]);
  });
});

describe('candidates', () => {
  const on = (date: string, more: Partial<ListingRecord> = {}) => ({
    listedOn: isoDate(date),
    observedAt: new Date(`${date}T00:00:00Z`),
    ...more,
  });
  const titles = async (date: string, windowDays: number, seenBefore = `${date}T23:00:00Z`) =>
    (await store.candidatePapers({ on: isoDate(date), windowDays, seenBefore: new Date(seenBefore) })).map(
      ({ title }) => title,
    );

  it('are the papers listed in the window and seen by then, not withdrawn, no replacements', async () => {
    await store.put([
      listing({ sourceId: 'a', title: 'first day' }, on('2026-06-01')),
      listing({ sourceId: 'b', title: 'second day' }, on('2026-06-02')),
      listing(
        { sourceId: 'c', title: 'seen late' },
        on('2026-06-02', { observedAt: new Date('2026-06-03T09:00:00Z') }),
      ),
      listing({ sourceId: 'd', title: 'withdrawn', withdrawn: true }, on('2026-06-02')),
      listing({ sourceId: 'e', title: 'replaced' }, on('2026-06-02', { kind: 'replace' })),
      listing({ sourceId: 'f', title: 'tomorrow' }, on('2026-06-03')),
    ]);
    expect(await titles('2026-06-02', 1)).toEqual(['second day']);
    expect(await titles('2026-06-02', 2)).toEqual(['first day', 'second day']);
    expect(await titles('2026-06-03', 2)).toEqual(['second day', 'seen late', 'tomorrow']);
  });

  it('carry the totals of then', async () => {
    const at = (hour: string, upvotes: number) =>
      listing({ sourceId: 'a' }, { observedAt: new Date(`2026-06-02T${hour}:00:00Z`), signals: { upvotes } });
    const { papers } = await store.put([at('01', 3), at('09', 30)]);
    const seen = async (hour: string) =>
      (
        await store.candidatePapers({
          on: day,
          windowDays: 1,
          seenBefore: new Date(`2026-06-02T${hour}:30:00Z`),
        })
      )[0]?.upvotes;
    expect([await seen('00'), await seen('01'), await seen('09')]).toEqual([undefined, 3, 30]);
    const series = await store.signalsOf(papers, new Date('2026-06-02T08:00:00Z'));
    expect([...series.values()].flat().map(({ value }) => value)).toEqual([3]);
  });
});
