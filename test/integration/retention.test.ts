import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addDays, type IsoDate, isoDate, utcDate } from '#src/database/ids.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { createLedgerReport } from '#src/digests/ledger-report-store.ts';
import { ensurePartitions } from '#src/digests/partition-store.ts';
import { pruneLedger } from '#src/digests/retention-store.ts';
import { createNoticeStore } from '#src/mail/notice-store.ts';
import { archiveOf } from '#src/web/archive-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addReaders, plannedFor } from '../support/ledger-fixture.ts';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await createTestDatabase();
  await ensurePartitions(test_.database, isoDate('2025-01-01'), isoDate('2025-04-01'));
});
afterAll(() => test_.destroy());
beforeEach(() =>
  sql`truncate digests, digest_contents, digest_blocks, subscribers cascade`.execute(test_.database),
);

const NOW = new Date('2025-06-10T12:00:00Z');
/** The first edition that is not old yet is then that of 2 March. */
const DAYS = 100;
const prune = (now = NOW) => pruneLedger(test_.database, { days: DAYS, now });

/** A digest of each of these editions for one reader, all of them sent. */
async function sent(dates: readonly string[]) {
  const [reader] = await addReaders(test_.database, 1);
  if (reader === undefined) throw new Error('no reader');
  const ledger = createLedger({ database: test_.database, now: () => NOW });
  for (const date of dates)
    await ledger.insert(test_.database, [plannedFor(reader, { editionDate: date as IsoDate })]);
  await sql`update digests set state = 'sent', finished_at = ${NOW}`.execute(test_.database);
  await sql`update digest_blocks set open = false`.execute(test_.database);
  return reader;
}

async function left(table: string): Promise<string[]> {
  const { rows } = await sql<{ on: string }>`
    select edition_date as "on" from ${sql.table(table)} order by 1`.execute(test_.database);
  return rows.map((row) => row.on);
}

test('old editions go away by whole months, with all that is kept for them', async () => {
  const reader = await sent(['2024-12-31', '2025-01-01', '2025-02-28', '2025-03-01', '2025-04-01']);
  const kept = ['2025-03-01', '2025-04-01'];
  expect(await prune()).toEqual({ months: ['2025-01-01', '2025-02-01'], rows: 1, blocks: 4, busy: false });
  expect(await left('digests')).toEqual(kept);
  expect(await left('digest_contents')).toEqual(kept);
  expect(await left('digest_blocks')).toEqual(['2025-04-01']);
  expect((await archiveOf(test_.database, reader, 10)).map((digest) => digest.date)).toEqual(
    kept.toReversed(),
  );
  expect(await prune()).toEqual({ months: [], rows: 0, blocks: 0, busy: false });
  await ensurePartitions(test_.database, isoDate('2025-01-01'), isoDate('2025-02-01'));
});

test('what is in doubt stays until it is settled', async () => {
  await sent(['2025-01-05', '2025-01-06']);
  await sql`update digests set state = 'unknown', in_doubt = true where edition_date = '2025-01-05'`.execute(
    test_.database,
  );
  expect((await prune()).months).toEqual(['2025-01-01', '2025-02-01']);
  expect(await left('digests')).toEqual(['2025-01-05']);
  const report = createLedgerReport({ database: test_.database, now: () => NOW });
  const unknown = await report.unknown();
  expect(unknown).toHaveLength(1);
  expect(await prune()).toMatchObject({ rows: 0 });
  expect(await report.settle([unknown[0]?.id as never], 'sent')).toBe(1);
  expect(await prune()).toMatchObject({ rows: 1 });
  await ensurePartitions(test_.database, isoDate('2025-01-01'), isoDate('2025-02-01'));
});

test('who uses the ledger is not held up, and it is tried again', async () => {
  await sent(['2025-01-05']);
  await test_.database.transaction().execute(async (tx) => {
    await sql`select from digests limit 1`.execute(tx);
    expect(await prune()).toMatchObject({ months: [], busy: true });
  });
  // Two at once drop each month once.
  const both = await Promise.all([prune(), prune()]);
  expect(both.map(({ busy }) => busy)).toEqual([false, false]);
  expect(await left('digests')).toEqual([]);
  await ensurePartitions(test_.database, isoDate('2025-01-01'), isoDate('2025-02-01'));
});

test('a clock that is set wrong empties nothing', async () => {
  const recent = addDays(utcDate(new Date()), -10);
  await sent([recent]);
  expect(await prune(new Date('2099-01-01T00:00:00Z'))).toMatchObject({ rows: 0 });
  expect(await left('digests')).toEqual([recent]);
});

test('notices that were done with long ago go away with the addresses they went to', async () => {
  const [reader] = await addReaders(test_.database, 1);
  const old = new Date(NOW.getTime() - 31 * 86_400_000);
  await sql`
    insert into notices (subscriber_id, kind, email, state, deadline, finished_at)
    select ${reader ?? 0}, 'confirm', 'reader1@example.org', state, ${NOW}, finished
    from (values ('sent', ${old}::timestamptz), ('sent', ${NOW}::timestamptz), ('planned', null)) as t (state, finished)`.execute(
    test_.database,
  );
  const notices = createNoticeStore({ database: test_.database, now: () => NOW });
  expect(await notices.removeFinished(new Date(NOW.getTime() - 30 * 86_400_000))).toBe(1);
  const { rows } = await sql`select from notices`.execute(test_.database);
  expect(rows).toHaveLength(2);
});
