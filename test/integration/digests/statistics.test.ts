import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStatistics, fitInThread } from '#src/digests/refit-statistics.ts';
import { createStatisticsStore } from '#src/digests/statistics-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let test: TestDatabase;
let clock = new Date('2026-06-30T12:00:00Z');
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.destroy());

async function addPapers(count: number, from: string): Promise<void> {
  await sql`
    insert into papers (identity, title, abstract, first_listed_on)
    select ${from} || n, 'Counting ' || (array['sheep', 'stars', 'waves', 'words'])[1 + n % 4] || ' ' || n % 50,
      'We count ' || (array['wool', 'light', 'water', 'letters'])[1 + n % 4] || ' with model ' || n % 20, '2026-06-01'
    from generate_series(1, ${count}) as n`.execute(test.database);
}

describe('statistics of matching', () => {
  it('are fitted once there are papers enough, kept, read back as they were, and renewed after a week', async () => {
    const store = createStatisticsStore(test);
    const statistics = createStatistics({ store, now: () => clock, fit: fitInThread });
    await addPapers(499, 'a');
    expect(await statistics.refitIfDue()).toEqual({ type: 'too-few', papers: 499 });
    expect(await statistics.current()).toBeUndefined();

    await addPapers(101, 'b');
    expect(await statistics.refitIfDue()).toMatchObject({ type: 'fitted', papers: 600 });
    const current = await statistics.current();
    expect(current).toBe(await statistics.current());
    expect(current?.documents).toBe(600);
    expect(current?.background).toHaveLength(600);
    expect(current?.basis).toHaveLength((current?.terms.length ?? 0) * (current?.rank ?? 0));
    const papers = await store.papersToFit(clock, 120, 1000);
    const again = await fitInThread(papers, current?.version ?? '');
    expect({ ...current, background: [] }).toEqual({ ...again, background: [] });

    expect(await statistics.refitIfDue()).toEqual({ type: 'fresh' });
    for (const day of [8, 16]) {
      clock = new Date(`2026-07-${String(day).padStart(2, '0')}T12:00:00Z`);
      expect(await statistics.refitIfDue()).toMatchObject({ type: 'fitted' });
    }
    expect((await statistics.current())?.version).toBe(clock.toISOString());
    const { rows } = await sql`select 1 from statistics`.execute(test.database);
    expect(rows).toHaveLength(2);
  });
});
