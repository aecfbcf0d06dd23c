import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { recordReaderVotes } from '#src/papers/reader-votes-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.destroy());

it('counts readers’ votes, not stuffed ones', async () => {
  const store = createPaperStore(test);
  const at = new Date('2026-06-10T12:00:00Z');
  const records = Array.from({ length: 20 }, (_, n) => ({
    sourceId: `p${n}`,
    title: `T${n}`,
    abstract: 'A',
  }));
  const { papers } = await store.put(
    records.map((paper) => ({
      source: 'jsonl',
      listedOn: isoDate('2026-06-09'),
      kind: 'daily' as const,
      section: '',
      observedAt: at,
      paper,
    })),
  );
  const [liked, stuffed] = papers;
  const reader = async (email: string, confirmed: string) =>
    (
      await sql<{
        id: number;
      }>`insert into subscribers (email, email_key, state, confirmed_at) values (${email}, ${email}, 'active', ${confirmed}) returning id`.execute(
        test.database,
      )
    ).rows[0]?.id;
  const vote = (subscriber: number | undefined, paper: number | undefined, verdict = 'more') =>
    sql`insert into feedback (subscriber_id, paper_id, verdict, given_at) values (${subscriber}, ${paper}, ${verdict}, '2026-06-10T08:00:00Z')`.execute(
      test.database,
    );

  for (let n = 0; n < 3; n += 1) await vote(await reader(`r@site${n}.example`, '2026-06-01'), liked);
  await vote(await reader('less@site.example', '2026-06-01'), liked, 'less');
  await vote(await reader('fresh@site.example', '2026-06-09'), liked);
  for (let n = 0; n < 30; n += 1) await vote(await reader(`bot${n}@own.example`, '2026-06-01'), stuffed);
  const eager = await reader('eager@site.example', '2026-06-01');
  for (const paper of papers.slice(2)) await vote(eager, paper);

  expect(await recordReaderVotes(test.database, at)).toBe(12);
  const series = await store.signalsOf(papers, at);
  expect(series.get(liked as never)).toEqual([expect.objectContaining({ kind: 'more', value: 3 })]);
  expect(series.get(stuffed as never)).toEqual([expect.objectContaining({ value: 3 })]);
  expect(papers.slice(2).filter((paper) => series.has(paper))).toHaveLength(10);
  expect(await recordReaderVotes(test.database, new Date('2026-06-10T13:00:00Z'))).toBe(0);
});
