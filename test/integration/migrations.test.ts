import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase, pendingMigrations } from '#src/database/migrate.ts';
import { createEmptyDatabase, type TestDatabase } from '#test/support/database.ts';

let empty: TestDatabase;
beforeAll(async () => {
  empty = await createEmptyDatabase();
});
afterAll(() => empty.destroy());

test('several processes migrating at once apply each migration exactly once', async () => {
  const pools = Array.from({ length: 4 }, () => openDatabase(empty.url, { max: 2 }));
  try {
    const wanted = await pendingMigrations(empty.database);
    expect(wanted.length).toBeGreaterThan(0);
    const applied = await Promise.all(pools.map(migrateDatabase));
    expect(applied.flat().sort()).toEqual(wanted);
    expect(await pendingMigrations(empty.database)).toEqual([]);
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
});

test('bigint comes back as number, date as text, timestamptz as Date', async () => {
  const query = sql<Record<string, unknown>>`
    select 9007199254740991::bigint as big, date '2026-02-28' as day, array[1, 2]::bigint[] as list,
           array[date '2026-01-01'] as days, timestamptz '2026-01-01 00:00Z' as at`;
  const { rows } = await query.execute(empty.database);
  expect(rows[0]).toEqual({
    big: Number.MAX_SAFE_INTEGER,
    day: '2026-02-28',
    list: [1, 2],
    days: ['2026-01-01'],
    at: new Date('2026-01-01T00:00:00Z'),
  });
});
