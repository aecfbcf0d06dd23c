import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { ingestCommand } from '#src/papers/ingest-command.ts';
import { createPaperStore, type PaperStore } from '#src/papers/paper-store.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { hasSharedData, sharedData, skipNote } from '#test/support/shared-data.ts';

let test: TestDatabase;
let store: PaperStore;
const now = () => new Date('2026-11-21T08:00:00Z');
beforeAll(async () => {
  test = await createTestDatabase();
  store = createPaperStore(test);
});
afterAll(() => test.destroy());

async function ingested(source: string, files: string[] = []) {
  const outcome = await ingestCommand({ sources: createSources(), store, now }, { source, files });
  if (outcome.type !== 'ingested') throw new Error(outcome.type);
  return outcome.report;
}

describe('the sample', () => {
  it('gives papers for today, marked as a sample', async () => {
    expect(await ingested('sample')).toMatchObject({ listings: 60, papers: 60, created: 60, faults: [] });
    const papers = await store.candidatePapers({
      on: isoDate('2026-11-21'),
      windowDays: 1,
      seenBefore: now(),
    });
    expect(papers).toHaveLength(60);
    for (const paper of papers)
      expect(paper).toMatchObject({
        arxivId: expect.stringMatching(/^26/),
        abstract: expect.stringMatching(/^.{60,400}$/),
        authors: expect.arrayContaining([expect.any(String)]),
      });
    const { rows } = await sql<{ source: string }>`select distinct source from listings`.execute(
      test.database,
    );
    expect(rows).toEqual([{ source: 'sample' }]);
    await sql`truncate papers cascade`.execute(test.database);
  });
});

describe('asking for what there is not', () => {
  const deps = { sources: createSources(), store: null, now };
  it('names the sources there are', async () => {
    expect(await ingestCommand(deps, { source: 'nature', files: [] })).toMatchObject({
      type: 'unknown-source',
      known: expect.arrayContaining(['page', 'huggingface', 'jsonl', 'arxiv-listings']),
    });
  });
  it('names the file that is missing', async () => {
    const outcome = await ingestCommand(deps, { source: 'page', files: ['/no/such/page.txt'] });
    expect(outcome).toEqual({ type: 'no-such-file', file: '/no/such/page.txt' });
  });
});

describe.skipIf(!hasSharedData)(`a month replayed${skipNote}`, () => {
  const arxiv = `${sharedData}/wire/arxiv-listings`;
  const huggingface = `${sharedData}/wire/hf-daily-papers`;
  const contents = async () =>
    (
      await sql<{ all: string }>`select md5(string_agg(row::text, '' order by row.identity)) as all from (
        select identity, title, abstract, authors, provenance::text, first_listed_on,
          (select array_agg((source, listed_on, section, upvotes, seen_at) order by source, listed_on, section)::text
           from listings where paper_id = papers.id) as listings,
          (select array_agg((kind, observed_at, value) order by kind, observed_at)::text from signals where paper_id = papers.id) as signals
        from papers) row`.execute(test.database)
    ).rows[0]?.all;

  it('meets in one row per work, and the same whatever the order and however often', async () => {
    expect(await ingested('huggingface', [huggingface])).toMatchObject({
      listings: 703,
      papers: 702,
      created: 702,
    });
    const both = await ingested('arxiv-listings', [arxiv]);
    expect(both).toMatchObject({ listings: 11_509, papers: 6633, merged: 0, faults: [] });
    const first = await contents();
    expect(await ingested('huggingface', [huggingface])).toMatchObject({ created: 0, known: 702 });
    expect(await contents()).toBe(first);

    await sql`truncate papers cascade`.execute(test.database);
    await ingested('arxiv-listings', [arxiv]);
    await ingested('huggingface', [huggingface]);
    expect(await contents()).toBe(first);

    const { rows } = await sql<{ papers: number; ids: number }>`
      select count(*)::int as papers, count(distinct arxiv_id)::int as ids from papers`.execute(
      test.database,
    );
    expect(rows[0]).toEqual({ papers: 702 + both.created, ids: 702 + both.created });
    const edition = await store.candidatePapers({
      on: isoDate('2026-06-16'),
      windowDays: 3,
      seenBefore: new Date('2026-06-16T12:00:00Z'),
    });
    expect(new Set(edition.map(({ arxivId }) => arxivId)).size).toBe(edition.length);
    // Two months' worth of writing: half a minute on a machine that does much else.
  }, 120_000);
});
