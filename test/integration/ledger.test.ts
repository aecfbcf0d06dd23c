import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '#src/database/database.ts';
import type { DigestId, SubscriberId } from '#src/database/ids.ts';
import { isoDate } from '#src/database/ids.ts';
import type { ClaimedDigest, DigestContent } from '#src/digests/digest.ts';
import { findDigest } from '#src/digests/digest-view-store.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { createLedgerReport } from '#src/digests/ledger-report-store.ts';
import { ensurePartitions } from '#src/digests/partition-store.ts';
import { digestRanges } from '#src/digests/ranges.ts';
import { createRecoveryStore } from '#src/digests/recovery-store.ts';
import type { Reason } from '#src/matching/types.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addReaders, EDITION, NOON, plannedFor, statesOf } from '../support/ledger-fixture.ts';
import { waitFor } from '../support/wait.ts';

let test_: TestDatabase;
let clock = NOON;
beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.destroy());
beforeEach(async () => {
  clock = NOON;
  await sql`truncate digests, digest_blocks, subscribers cascade`.execute(test_.database);
});
const ledger = () => createLedger({ database: test_.database, now: () => clock });
const recovery = () => createRecoveryStore({ database: test_.database, now: () => clock });
const everything = { editionDate: EDITION, from: 0, to: 2 ** 52 };
const lapse = () =>
  sql`update digest_blocks set lease_until = clock_timestamp() - interval '1 s' where lease_until is not null`.execute(
    test_.database,
  );

/** What was claimed, after it was recorded and its block given back. */
async function givenBack(claimed: readonly ClaimedDigest[]) {
  await ledger().record(claimed.map((row) => ({ ...row, state: 'skipped', reason: 'suppressed' })));
  await ledger().release(claimed[0] as ClaimedDigest);
  return claimed;
}

async function planned(count: number, prefix = '') {
  const readers = await addReaders(test_.database, count, prefix);
  return ledger().insert(
    test_.database,
    readers.map((id) => plannedFor(id)),
  );
}

/** What a claim tells of a content: its reasons are to be shown only. */
const withoutWeights = (content: DigestContent) => ({
  ...content,
  reasons: content.reasons.map((each) => each.map(withoutWeight)),
});

function withoutWeight(reason: Reason) {
  const { weight: _, ...said } = reason;
  return said;
}

describe('planning', () => {
  test('writes rows with their content, and reads them back when they are claimed', async () => {
    const [reader] = await addReaders(test_.database, 1);
    const row = plannedFor(reader as SubscriberId);
    const [inserted] = await ledger().insert(test_.database, [row]);
    expect(inserted).toMatchObject({ subscriberId: reader, editionDate: EDITION, state: 'planned' });
    const [claimed] = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    expect(claimed).toEqual({
      id: inserted?.id,
      editionDate: EDITION,
      subscriberId: reader,
      kind: 'daily',
      content: withoutWeights(row.content),
      slotAt: row.slotAt,
      deadline: row.deadline,
      attempts: 0,
      leaseToken: expect.any(Number),
    });
  });

  test('keeps each digest its own content, whatever block, edition and claim it is of', async () => {
    const readers = await addReaders(test_.database, 520);
    const other = isoDate('2026-06-11');
    const contentFor = (id: SubscriberId) => ({
      paperIds: id % 7 === 0 ? [] : [id as never],
      reasons: id % 7 === 0 ? [] : [[{ type: 'trending' as const, weight: id, fill: false }]],
      candidates: id,
      ...(id % 2 === 0 ? { had: 1 } : {}),
    });
    const rows = readers.map((id, i) =>
      plannedFor(id, { content: contentFor(id), ...(i % 10 === 0 ? { editionDate: other } : {}) }),
    );
    const inserted = await ledger().insert(test_.database, rows);
    expect(inserted).toHaveLength(520);
    // A block holds rows of one edition.
    const blocks = Map.groupBy(inserted, ({ id }) => Math.floor(id / 500));
    for (const group of blocks.values()) expect(new Set(group.map((row) => row.editionDate)).size).toBe(1);
    const claimed = [
      ...(await givenBack(await ledger().claim(everything, { limit: 3, leaseMs: 60_000 }))),
      ...(await ledger().claim({ ...everything, editionDate: other }, { limit: 1_000, leaseMs: 60_000 })),
      ...(await Promise.all(
        digestRanges(inserted).map((range) => ledger().claim(range, { limit: 500, leaseMs: 60_000 })),
      ).then((claims) => claims.flat())),
    ];
    expect(claimed).toHaveLength(520);
    for (const row of claimed) expect(row.content).toEqual(withoutWeights(contentFor(row.subscriberId)));
    for (const id of readers.slice(0, 20))
      expect(
        (await findDigest(test_.database, id, id === readers[0] || id === readers[10] ? other : EDITION))
          ?.content,
      ).toEqual(contentFor(id));
  });

  test('twice, or in two transactions at once, makes one digest for each reader', async () => {
    const readers = await addReaders(test_.database, 20);
    const plan = () =>
      test_.database.transaction().execute((tx) =>
        ledger().insert(
          tx,
          readers.map((id) => plannedFor(id)),
        ),
      );
    const [first, second] = await Promise.all([plan(), plan()]);
    expect((first?.length ?? 0) + (second?.length ?? 0)).toBe(20);
    expect(await statesOf(test_.database)).toEqual({ planned: 20 });
  });

  test('a row with a reason to skip is never claimed', async () => {
    const [reader] = await addReaders(test_.database, 1);
    const rows = await ledger().insert(test_.database, [
      plannedFor(reader as SubscriberId, { skip: 'no-papers' }),
    ]);
    expect(rows[0]?.state).toBe('skipped');
    expect(digestRanges(rows)).toEqual([]);
    expect(await ledger().claim(everything, { limit: 10, leaseMs: 60_000 })).toEqual([]);
  });

  test('is cut into ranges of at most 500', async () => {
    const rows = await planned(1_001);
    const ranges = digestRanges(rows);
    expect(ranges.map((range) => range.to - range.from + 1)).toEqual([500, 500, 1]);
    expect(ranges[0]?.from).toBe(rows[0]?.id);
  });
});

describe('claiming', () => {
  test('by many at once takes each row once, each block for one of them', async () => {
    for (let i = 0; i < 4; i++) await planned(50, `block${i}.`);
    const ids: DigestId[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (;;) {
          const rows = await ledger().claim(everything, { limit: 20, leaseMs: 60_000 });
          if (rows.length === 0) return;
          expect(new Set(rows.map(({ id }) => Math.floor(id / 500))).size).toBe(1);
          ids.push(...rows.map((row) => row.id));
          await ledger().record(rows.map((row) => ({ ...row, state: 'skipped', reason: 'suppressed' })));
          await ledger().release(rows[0] as ClaimedDigest);
        }
      }),
    );
    for (;;) {
      const more = await ledger().claim(everything, { limit: 50, leaseMs: 60_000 });
      if (more.length === 0) break;
      ids.push(...more.map((row) => row.id));
    }
    expect(new Set(ids).size).toBe(200);
    expect(ids).toHaveLength(200);
  });

  test('leaves alone what is not due yet or past its deadline', async () => {
    await planned(3);
    clock = new Date(NOON.getTime() - 1_000);
    expect(await ledger().claim(everything, { limit: 10, leaseMs: 60_000 })).toEqual([]);
    clock = new Date(NOON.getTime() + 37 * 3_600_000);
    expect(await ledger().claim(everything, { limit: 10, leaseMs: 60_000 })).toEqual([]);
    expect(await recovery().expire()).toBe(3);
    expect(await statesOf(test_.database)).toEqual({ skipped: 3 });
  });
});

describe('handing over', () => {
  test('leaves out readers who left, paused or were erased since', async () => {
    const rows = await planned(4);
    const claimed = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    await sql`update subscribers set state = 'unsubscribed' where id = ${rows[0]?.subscriberId}`.execute(
      test_.database,
    );
    await sql`update subscribers set state = 'paused' where id = ${rows[1]?.subscriberId}`.execute(
      test_.database,
    );
    await sql`delete from subscribers where id = ${rows[2]?.subscriberId}`.execute(test_.database);
    const { ids, skipped } = await ledger().handOver(claimed, 60_000);
    expect([...ids]).toEqual([rows[3]?.id]);
    expect([...skipped.values()].sort()).toEqual(['address-gone', 'paused', 'unsubscribed']);
    expect(await statesOf(test_.database)).toEqual({ handed_over: 1, skipped: 3 });
  });

  test('refuses rows whose lease ran out, or that another one has taken over', async () => {
    await planned(2);
    const old = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    await lapse();
    expect((await ledger().handOver(old, 60_000)).ids.size).toBe(0);
    expect(await recovery().releaseLapsed()).toBe(2);
    const fresh = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    expect(fresh).toHaveLength(2);
    expect((await ledger().handOver(old, 60_000)).ids.size).toBe(0);
    expect((await ledger().handOver(fresh, 60_000)).ids.size).toBe(2);
    // The first one's late result is not written either.
    const late = old.map((row) => ({ ...row, state: 'sent' as const, reply: '250 late' }));
    expect((await ledger().record(late)).size).toBe(0);
  });
});

describe('recording', () => {
  test('writes each kind of result', async () => {
    await planned(6);
    const claimed = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    await ledger().handOver(claimed, 60_000);
    const later = new Date(NOON.getTime() + 60_000);
    const [a, b, c, d, e, f] = claimed as unknown as [never, never, never, never, never, never];
    const written = await ledger().record([
      { ...(a as object as (typeof claimed)[0]), state: 'sent', reply: '250 ok' },
      { ...(b as object as (typeof claimed)[0]), state: 'deferred', reply: '450 later', dueAt: later },
      { ...(c as object as (typeof claimed)[0]), state: 'failed', reply: '550 no' },
      { ...(d as object as (typeof claimed)[0]), state: 'unknown', reply: 'lost' },
      { ...(e as object as (typeof claimed)[0]), state: 'planned' },
      { ...(f as object as (typeof claimed)[0]), state: 'skipped', reason: 'suppressed' },
    ]);
    expect(written.size).toBe(6);
    const { rows } = await sql<Record<string, unknown>>`
      select state, reply, skip_reason, due_at, finished_at, attempts from digests order by id`.execute(
      test_.database,
    );
    expect(rows).toEqual([
      { state: 'sent', reply: '250 ok', skip_reason: null, due_at: NOON, finished_at: NOON, attempts: 1 },
      {
        state: 'deferred',
        reply: '450 later',
        skip_reason: null,
        due_at: later,
        finished_at: null,
        attempts: 1,
      },
      { state: 'failed', reply: '550 no', skip_reason: null, due_at: NOON, finished_at: NOON, attempts: 1 },
      { state: 'unknown', reply: 'lost', skip_reason: null, due_at: NOON, finished_at: NOON, attempts: 1 },
      // Given back untried: no attempt.
      { state: 'planned', reply: null, skip_reason: null, due_at: NOON, finished_at: null, attempts: 0 },
      {
        state: 'skipped',
        reply: null,
        skip_reason: 'suppressed',
        due_at: NOON,
        finished_at: NOON,
        attempts: 1,
      },
    ]);
  });

  test('keeps no address that a server quotes', async () => {
    await planned(3);
    const [a, b, c] = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    const said = (reply: string) => ({ state: 'failed', reply }) as const;
    await ledger().record([
      { ...(a as never as ClaimedDigest), ...said("550 5.1.1 <o'brien@example.org>: unknown") },
      { ...(b as never as ClaimedDigest), ...said('550 "a b"@example.org: no such user') },
      { ...(c as never as ClaimedDigest), ...said('550 no mailbox (reader3@example.org)') },
    ]);
    const { rows } = await sql<{ reply: string }>`select reply from digests order by id`.execute(
      test_.database,
    );
    expect(rows.map((row) => row.reply)).toEqual([
      '550 5.1.1 <…>: unknown',
      '550 …: no such user',
      '550 no mailbox (…)',
    ]);
  });

  test('a late truth replaces unknown, until it was put back to be resent', async () => {
    await planned(2);
    const claimed = await ledger().claim(everything, { limit: 10, leaseMs: 60_000 });
    await ledger().handOver(claimed, 60_000);
    await lapse();
    expect(await recovery().releaseLapsed()).toBe(0);
    expect(await recovery().giveUp(await recovery().lapsedHandOvers(10), 'vanished')).toHaveLength(2);
    const [first, second] = claimed.map((row) => ({ ...row, state: 'sent' as const, reply: '250 ok' }));
    expect((await ledger().record([first as never])).size).toBe(1);
    clock = new Date(NOON.getTime() + 61_000);
    expect(await recovery().resendUnknown(60_000)).toBe(1);
    expect((await ledger().record([second as never])).size).toBe(0);
    expect(await statesOf(test_.database)).toEqual({ sent: 1, planned: 1 });
  });
});

test('what runs often is planned once for each connection, whatever its parameters', async () => {
  await planned(300);
  const database = openDatabase(test_.url, { max: 1 });
  const one = createLedger({ database, now: () => clock });
  for (let i = 0; i < 20; i++) {
    const claimed = await one.claim(everything, { limit: 15, leaseMs: 60_000 });
    await one.handOver(claimed, 60_000);
    await one.record(claimed.map((row) => ({ ...row, state: 'sent', reply: '250 ok' })));
    await one.release(claimed[0] as ClaimedDigest);
  }
  const { rows } = await sql<{ plans: number; most: boolean }>`
    select count(*) as plans, bool_and(generic_plans > custom_plans) as most from pg_prepared_statements
    where statement ~ 'digest_blocks|update digests'`.execute(database);
  await database.destroy();
  expect(rows).toEqual([{ plans: 4, most: true }]);
  expect(await statesOf(test_.database)).toEqual({ sent: 300 });
});

describe('recovery', () => {
  test('resends an unknown digest once and no more', async () => {
    await planned(1);
    for (const round of [1, 2]) {
      const claimed = await ledger().claim(everything, { limit: 1, leaseMs: 60_000 });
      expect(claimed).toHaveLength(1);
      await ledger().handOver(claimed, 60_000);
      await lapse();
      await recovery().releaseLapsed();
      await recovery().giveUp(await recovery().lapsedHandOvers(10), 'vanished');
      clock = new Date(clock.getTime() + 120_000);
      expect(await recovery().resendUnknown(60_000)).toBe(round === 1 ? 1 : 0);
    }
    expect(await statesOf(test_.database)).toEqual({ unknown: 1 });
    const report = createLedgerReport({ database: test_.database, now: () => clock });
    expect(await report.uncertain(EDITION, 10)).toMatchObject([
      { state: 'unknown', resent: true, attempts: 2 },
    ]);
    expect(await report.counts(EDITION)).toEqual([
      { editionDate: EDITION, states: { unknown: 1 }, skipped: {}, resent: 1 },
    ]);
  });

  test('finds stranded rows as blocks of ids, and nothing that is only just due', async () => {
    const rows = await planned(700);
    expect(await recovery().stranded(60_000, 100)).toEqual([]);
    clock = new Date(NOON.getTime() + 60_000);
    const ranges = await recovery().stranded(60_000, 100);
    for (const { id } of rows)
      expect(ranges.filter((range) => range.from <= id && id <= range.to)).toHaveLength(1);
    // What was deferred has no job any more: it is found as soon as it is due.
    await sql`update digests set state = 'deferred', due_at = ${clock} where id = ${rows[0]?.id}`.execute(
      test_.database,
    );
    await sql`update digests set due_at = ${clock} where id <> ${rows[0]?.id}`.execute(test_.database);
    expect(await recovery().stranded(60_000, 100)).toHaveLength(1);
    expect(ranges.every((range) => range.from % 500 === 0 && range.to - range.from === 499)).toBe(true);
  });
});

test('papers seen include those on the way', async () => {
  const [a, b, c] = (await addReaders(test_.database, 3)) as [SubscriberId, SubscriberId, SubscriberId];
  const paper = (id: number) => ({ paperIds: [id as never], reasons: [[]], candidates: 1 });
  await ledger().insert(test_.database, [
    plannedFor(a, { content: paper(11) }),
    plannedFor(b, { content: paper(12), skip: 'no-papers' }),
    plannedFor(c, { content: paper(13), editionDate: isoDate('2026-05-01') }),
    plannedFor(a, { content: paper(14), editionDate: isoDate('2026-06-09') }),
  ]);
  const seen = await ledger().seenPapers(test_.database, [a, b, c], isoDate('2026-06-01'));
  expect(seen).toEqual(new Map([[a, new Set([11, 14])]]));
});

test('nobody sees the ledger without the rows that move to a new partition', async () => {
  const editionDate = isoDate('2027-05-10');
  const readers = await addReaders(test_.database, 3);
  await ledger().insert(
    test_.database,
    readers.map((id) => plannedFor(id, { editionDate })),
  );
  // The moment between attaching the partition and the commit, long enough to be met.
  await sql`create function dawdle() returns event_trigger language plpgsql as $$ begin perform pg_sleep(0.4); end $$`.execute(
    test_.database,
  );
  await sql`create event trigger dawdles on ddl_command_end when tag in ('ALTER TABLE') execute function dawdle()`.execute(
    test_.database,
  );
  const made = ensurePartitions(test_.database, editionDate, editionDate);
  const sleeping = async () =>
    (await sql`select from pg_stat_activity where wait_event = 'PgSleep'`.execute(test_.database)).rows
      .length > 0;
  await waitFor('the move', sleeping);
  const { rows } = await sql`select id from digests where edition_date = ${editionDate}::date`.execute(
    test_.database,
  );
  expect(rows).toHaveLength(3);
  await made;
  await sql`drop event trigger dawdles`.execute(test_.database);
  await sql`drop function dawdle`.execute(test_.database);
});

test('partitions wait for no dump of the ledger, nor does the ledger', async () => {
  const editionDate = isoDate('2027-07-10');
  await test_.database.transaction().execute(async (dump) => {
    await sql`select count(*) from digests`.execute(dump);
    await expect(ensurePartitions(test_.database, editionDate, editionDate)).rejects.toMatchObject({
      code: '55P03',
    });
    await sql`select count(*) from digests`.execute(test_.database);
  });
  expect(await ensurePartitions(test_.database, editionDate, editionDate)).toHaveLength(1);
});

test('partitions are made once by whoever comes first, and take in rows that were early', async () => {
  const [a] = (await addReaders(test_.database, 1)) as [SubscriberId];
  await ledger().insert(test_.database, [plannedFor(a, { editionDate: isoDate('2027-02-28') })]);
  const make = () => ensurePartitions(test_.database, isoDate('2027-01-31'), isoDate('2027-03-01'));
  const made = await Promise.all([make(), make()]);
  expect(made.flat().sort()).toEqual(['digests_2027_01', 'digests_2027_02', 'digests_2027_03']);
  expect(await make()).toEqual([]);
  const { rows } = await sql<{ part: string }>`
    select tableoid::regclass::text as part from digests
    union all select tableoid::regclass::text from digest_contents
      where edition_date = '2027-02-28' order by 1`.execute(test_.database);
  expect(rows).toEqual([{ part: 'digest_contents_2027_02' }, { part: 'digests_2027_02' }]);
  const [claimed] = await ledger().claim(
    { editionDate: isoDate('2027-02-28'), from: 0, to: 2 ** 52 },
    { limit: 1, leaseMs: 1_000 },
  );
  expect(claimed?.content).toEqual(withoutWeights(plannedFor(a).content));
  expect((await ledger().handOver([claimed as never], 1_000)).ids).toEqual(
    new Set([claimed?.id as DigestId]),
  );
});
