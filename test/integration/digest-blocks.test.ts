import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '#src/database/database.ts';
import type { DigestId } from '#src/database/ids.ts';
import type { ClaimedDigest } from '#src/digests/digest.ts';
import { openJournals } from '#src/digests/journal.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { createLedgerReport } from '#src/digests/ledger-report-store.ts';
import { nameOf, thisProcess } from '#src/digests/process-identity.ts';
import { createRecoveryStore } from '#src/digests/recovery-store.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addReaders, EDITION, NOON, plannedFor, settlerOf, statesOf } from '../support/ledger-fixture.ts';

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
const claim = (limit = 500) => ledger().claim(everything, { limit, leaseMs: 60_000 });
const sent = (row: ClaimedDigest) => ({ ...row, state: 'sent' as const, reply: '250 ok' });
const lapse = () =>
  sql`update digest_blocks set lease_until = clock_timestamp() - interval '1 s' where lease_until is not null`.execute(
    test_.database,
  );

/** Resolves when so many statements wait for another one. */
const waiting = async (count: number) => {
  for (;;) {
    const { rows } = await sql<{ n: number }>`
      select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
      test_.database,
    );
    if ((rows[0]?.n ?? 0) >= count) return;
  }
};

async function planned(count: number) {
  const readers = await addReaders(test_.database, count);
  return ledger().insert(
    test_.database,
    readers.map((id) => plannedFor(id)),
  );
}

/** A sweep that began while `work` was not committed yet, and waits for it. */
async function whileSweeping(work: (tx: Database) => Promise<unknown>) {
  let swept: Promise<unknown> = Promise.resolve();
  await test_.database.transaction().execute(async (tx) => {
    await work(tx);
    swept = recovery().releaseLapsed();
    await waiting(1);
  });
  await swept;
}

async function block() {
  const { rows } = await sql<{ open: boolean; held: boolean }>`
    select open, lease_token is not null as held from digest_blocks order by first_id`.execute(
    test_.database,
  );
  return rows;
}

const leftover = (rows: readonly ClaimedDigest[], begun: readonly DigestId[]) => ({
  editionDate: EDITION,
  leaseToken: rows[0]?.leaseToken ?? 0,
  from: rows[0]?.id ?? 0,
  to: rows.at(-1)?.id ?? 0,
  begun,
});

describe('a block of the ledger', () => {
  test('is held by one claim, says what is on its way, and is closed when all is done', async () => {
    await planned(4);
    expect(await block()).toEqual([{ open: true, held: false }]);
    const rows = await claim();
    expect(await statesOf(test_.database)).toEqual({ claimed: 4 });
    expect(await claim()).toEqual([]);
    expect(await ledger().nextDue(everything)).toBeNull();
    await ledger().handOver(rows.slice(0, 2), 60_000);
    expect(await statesOf(test_.database)).toEqual({ claimed: 2, handed_over: 2 });
    await ledger().handOver(rows.slice(2), 60_000);
    expect((await ledger().record(rows.map(sent), NOON)).size).toBe(4);
    expect(await ledger().release(rows[0] as ClaimedDigest)).toBeNull();
    expect(await block()).toEqual([{ open: false, held: false }]);
    const { rows: kept } = await sql`select distinct attempts, handed_over_at, in_doubt from digests`.execute(
      test_.database,
    );
    expect(kept).toEqual([{ attempts: 1, handed_over_at: NOON, in_doubt: false }]);
  });

  test('stays open for what is put off, and tells when that is due', async () => {
    await planned(3);
    const rows = await claim();
    const later = new Date(NOON.getTime() + 60_000);
    const [a, b, c] = rows as [ClaimedDigest, ClaimedDigest, ClaimedDigest];
    await ledger().handOver(rows, 60_000);
    await ledger().record([sent(a), { ...b, state: 'deferred', reply: '450', dueAt: later }, sent(c)]);
    expect(await ledger().release(a)).toEqual(later);
    expect(await block()).toEqual([{ open: true, held: false }]);
    expect(await statesOf(test_.database)).toEqual({ sent: 2, deferred: 1 });
    expect(await claim()).toEqual([]);
    clock = later;
    expect((await claim()).map((row) => row.id)).toEqual([b.id]);
  });

  test('opens with whatever row comes into the ledger, and closes by the sweep', async () => {
    const [reader] = await addReaders(test_.database, 1);
    await sql`
      insert into digests (edition_date, subscriber_id, slot_at, due_at, deadline)
      values (${EDITION}::date, ${reader}, ${NOON}, ${NOON}, ${new Date(NOON.getTime() + 3_600_000)})`.execute(
      test_.database,
    );
    clock = new Date(NOON.getTime() + 60_000);
    expect(await recovery().stranded(60_000, 10)).toHaveLength(1);
    expect(await recovery().closeFinished()).toBe(0);
    await sql`update digests set state = 'failed'`.execute(test_.database);
    expect(await recovery().closeFinished()).toBe(1);
  });

  test('that was closed by hand opens again', async () => {
    await planned(2);
    expect(await recovery().reopenForgotten()).toBe(0);
    await sql`update digest_blocks set open = false`.execute(test_.database);
    expect(await claim()).toEqual([]);
    expect(await recovery().reopenForgotten()).toBe(1);
    await sql`truncate digest_blocks`.execute(test_.database);
    expect(await recovery().reopenForgotten()).toBe(1);
    expect(await claim()).toHaveLength(2);
  });

  test('opens again for what is sent once more, by the sweep or by hand, while it is held too', async () => {
    await planned(3);
    const report = createLedgerReport({ database: test_.database, now: () => clock });
    const rows = await claim();
    const [a, b, c] = rows as [ClaimedDigest, ClaimedDigest, ClaimedDigest];
    await ledger().handOver(rows, 60_000);
    await ledger().record([{ ...a, state: 'unknown', reply: 'lost' }]);
    await ledger().record([{ ...b, state: 'unknown', reply: 'lost' }]);
    await ledger().record([sent(c)]);
    expect(await recovery().resendUnknown(0)).toBe(2);
    // It was handed over once, but not again: its end must not say so.
    await ledger().release(a);
    expect(await statesOf(test_.database)).toEqual({ planned: 2, sent: 1 });
    expect(await block()).toEqual([{ open: true, held: false }]);
    const again = await claim();
    expect(again.map((row) => row.id)).toEqual([a.id, b.id]);
    await ledger().handOver(again, 60_000);
    await ledger().record([sent(again[0] as ClaimedDigest)]);
    await ledger().record([{ ...(again[1] as ClaimedDigest), state: 'unknown', reply: 'lost' }]);
    await ledger().release(again[0] as ClaimedDigest);
    expect(await block()).toEqual([{ open: false, held: false }]);
    // Once by policy; by hand as often as one likes.
    expect(await recovery().resendUnknown(0)).toBe(0);
    expect(await report.settle([a.id, b.id], 'resend')).toBe(1);
    expect((await claim()).map((row) => row.id)).toEqual([b.id]);
  });

  test('is not closed by who has not seen a row that was put back meanwhile', async () => {
    await planned(2);
    const rows = await claim();
    const [a, b] = rows as [ClaimedDigest, ClaimedDigest];
    await ledger().handOver(rows, 60_000);
    await ledger().record([sent(a)]);
    await ledger().record([{ ...b, state: 'unknown', reply: 'lost' }]);
    let ending: Promise<unknown> = Promise.resolve();
    await test_.database.transaction().execute(async (tx) => {
      const inside = createRecoveryStore({ database: tx, now: () => clock });
      expect(await inside.resendUnknown(0)).toBe(1);
      // Both begin before the row is put back, and wait for the block.
      ending = Promise.all([ledger().release(a), recovery().closeFinished()]);
      await waiting(1);
    });
    await ending;
    expect(await block()).toEqual([{ open: true, held: false }]);
    expect((await claim()).map((row) => row.id)).toEqual([b.id]);
  });
});

test('a sweep closes what is finished and waits for no block that somebody else has locked', async () => {
  for (const id of await addReaders(test_.database, 3))
    await ledger().insert(test_.database, [plannedFor(id)]);
  await sql`update digests set state = 'failed'`.execute(test_.database);
  await test_.database.transaction().execute(async (tx) => {
    await sql`
      select from digest_blocks where first_id = (select max(first_id) from digest_blocks) for update`.execute(
      tx,
    );
    // One that waited here could be waited for itself: two sweeps that close the same blocks did.
    expect(await recovery().closeFinished()).toBe(2);
  });
  expect(await recovery().closeFinished()).toBe(1);
});

describe('a claim whose process was killed before it opened a journal', () => {
  const settle = () => settlerOf(test_.database, () => clock)();
  const gone = nameOf({ ...thisProcess(), started: 'long ago' });
  const claimBy = (holder: string) =>
    createLedger({ database: test_.database, now: () => clock, holder }).claim(everything, {
      limit: 500,
      leaseMs: 60_000,
    });

  test('is free again at once, for another process of the same machine', async () => {
    await planned(3);
    expect(await claimBy(gone)).toHaveLength(3);
    expect(await settle()).toMatchObject({ claims: 1, recorded: 0, unknown: 0, released: 3 });
    expect(await settle()).toMatchObject({ claims: 0 });
    expect(await claim()).toHaveLength(3);
  });

  test('is left alone while its process lives, is of another machine, or has no name', async () => {
    for (const holder of [
      nameOf(thisProcess()),
      nameOf({ ...thisProcess(), boot: 'another' }),
      'nobody',
      '{}',
    ]) {
      await planned(2);
      expect(await claimBy(holder)).toHaveLength(2);
      expect(await settle()).toMatchObject({ claims: 0, released: 0 });
      await sql`truncate digests, digest_blocks, subscribers cascade`.execute(test_.database);
    }
  });

  test('waits for its lease where something was handed over, which only a journal could tell more of', async () => {
    await planned(2);
    const rows = await claimBy(gone);
    await ledger().handOver(rows.slice(0, 1), 60_000);
    expect(await settle()).toMatchObject({ claims: 0, released: 0 });
    expect(await statesOf(test_.database)).toEqual({ handed_over: 1, claimed: 1 });
  });
});

describe('a claim that a live process never heard of', () => {
  /** What a broken connection leaves: done by the server, and no answer. */
  const claimUnheard = () =>
    sql`update digest_blocks set lease_token = nextval('lease_tokens'), holder = ${nameOf(thisProcess())},
               claimed_at = ${NOON}, lease_until = clock_timestamp() + interval '1 minute'`.execute(
      test_.database,
    );
  const settle = () => settlerOf(test_.database, () => clock)();

  test('is free again at the next look, and what is worked on is not', async () => {
    await planned(2);
    const [heard] = await claim();
    expect((await settle()).strays).toEqual([]);
    ledger().drop(heard as ClaimedDigest);
    await sql`truncate digests, digest_blocks, subscribers cascade`.execute(test_.database);
    await planned(2);
    await claimUnheard();
    expect(await claim()).toEqual([]);
    const { claims, strays } = await settle();
    expect({ claims, strays }).toMatchObject({ claims: 1, strays: [{ editionDate: EDITION }] });
    expect(await claim()).toHaveLength(2);
  });

  test('is left to its journal, or its lease, where something was handed over', async () => {
    await planned(2);
    await claimUnheard();
    await sql`update digest_blocks set handed = int8multirange(int8range(first_id, first_id + 1))`.execute(
      test_.database,
    );
    expect((await settle()).strays).toEqual([]);
  });
});

describe('a claim that ends without a word', () => {
  test('leaves what was handed over in doubt, takes its late truth, and lets the rest go', async () => {
    await planned(4);
    const old = await claim();
    const [a, b, c, d] = old as [ClaimedDigest, ClaimedDigest, ClaimedDigest, ClaimedDigest];
    await ledger().handOver([a, b, c], 60_000);
    await ledger().record([sent(a)]);
    await lapse();
    expect(await recovery().releaseLapsed()).toBe(1);
    expect(await statesOf(test_.database)).toEqual({ sent: 1, handed_over: 2, planned: 1 });
    const fresh = await claim();
    expect(fresh.map((row) => row.id)).toEqual([d.id]);
    // The old one is alive after all: what it handed over is still its own, the rest is not.
    expect(await ledger().renew(old, 60_000)).toEqual(new Set([b.id, c.id]));
    expect(await recovery().lapsedHandOvers(10)).toEqual([]);
    expect(await ledger().record([sent(b)])).toEqual(new Set([b.id]));
    expect(await ledger().record([{ ...c, state: 'planned' }])).toEqual(new Set([c.id]));
    expect(await ledger().record([{ ...d, state: 'skipped', reason: 'suppressed' }])).toEqual(new Set());
    expect((await ledger().handOver([d], 60_000)).ids.size).toBe(0);
    expect(await ledger().release(old[0] as ClaimedDigest)).toBeNull();
    // (c is with the block of the fresh claim, which will find it in its next look.)
    expect(await statesOf(test_.database)).toEqual({ sent: 2, claimed: 2 });
    expect(await ledger().release(fresh[0] as ClaimedDigest)).toEqual(NOON);
    const { rows } = await sql<{ attempts: number }>`select attempts from digests order by id`.execute(
      test_.database,
    );
    expect(rows.map((row) => row.attempts)).toEqual([1, 1, 0, 0]);
  });

  test('is settled by its journal, before or after the sweep has looked', async () => {
    for (const swept of [false, true]) {
      await sql`truncate digests, digest_blocks, subscribers cascade`.execute(test_.database);
      await planned(5);
      const rows = await claim();
      await ledger().handOver(rows.slice(0, 4), 60_000);
      await ledger().record([sent(rows[0] as ClaimedDigest)]);
      if (swept) {
        await lapse();
        await recovery().releaseLapsed();
        await sql`update digests set lease_until = clock_timestamp() - interval '1 s' where in_doubt`.execute(
          test_.database,
        );
        await recovery().giveUp((await recovery().lapsedHandOvers(10)).slice(0, 2), 'vanished');
      }
      const begun = [rows[1]?.id as DigestId];
      const settled = await recovery().settleClaim(leftover(rows, begun));
      expect(settled.unknown).toBe(swept ? 0 : 1);
      expect(await statesOf(test_.database)).toEqual({ sent: 1, unknown: 1, planned: 3 });
      const { rows: attempts } = await sql<{
        attempts: number;
      }>`select attempts from digests order by id`.execute(test_.database);
      expect(attempts.map((row) => row.attempts)).toEqual([1, 1, 0, 0, 0]);
      expect(await claim()).toHaveLength(3);
      // A second time, or for a claim that somebody else has by now, it changes nothing.
      expect(await recovery().settleClaim(leftover(rows, begun))).toEqual({ unknown: 0, released: 0 });
      expect(await statesOf(test_.database)).toEqual({ sent: 1, unknown: 1, claimed: 3 });
    }
  });

  test('keeps what it says at the very moment at which a sweep gives it up', async () => {
    await planned(3);
    const [a, b] = (await claim()) as [ClaimedDigest, ClaimedDigest];
    await ledger().handOver([a, b], 60_000);
    await lapse();
    await whileSweeping(async (tx) => {
      const inside = createLedger({ database: tx, now: () => clock });
      await inside.record([
        { ...a, state: 'deferred', reply: '450', dueAt: clock },
        { ...b, state: 'planned' },
      ]);
    });
    expect(await statesOf(test_.database)).toEqual({ deferred: 1, planned: 2 });
    expect(await block()).toEqual([{ open: true, held: false }]);
  });

  test('loses nothing of what it renews or hands over at that moment', async () => {
    await planned(3);
    const rows = (await claim()) as [ClaimedDigest, ClaimedDigest, ClaimedDigest];
    await ledger().handOver(rows.slice(0, 1), 60_000);
    await lapse();
    await whileSweeping((tx) => createLedger({ database: tx, now: () => clock }).renew(rows, 60_000));
    expect(await statesOf(test_.database)).toEqual({ handed_over: 1, claimed: 2 });
    expect(await recovery().lapsedHandOvers(10)).toEqual([]);
    // The database's clock jumps ahead: what was handed over a moment ago has lapsed before the sweep could see it.
    await sql`update digest_blocks set lease_until = clock_timestamp() + interval '1 s'`.execute(
      test_.database,
    );
    await whileSweeping(async (tx) => {
      const { ids } = await createLedger({ database: tx, now: () => clock }).handOver([rows[1]], 0);
      expect(ids.size).toBe(1);
      await sql`select pg_sleep_until(lease_until) from digest_blocks`.execute(test_.database);
    });
    expect(await statesOf(test_.database)).toEqual({ handed_over: 2, planned: 1 });
    expect((await claim()).map((row) => row.id)).toEqual([rows[2].id]);
  });

  test.each(['by the sweep', 'by hand', 'by its late results'])(
    'is settled by its journal while its rows are put back %s, and neither waits for the other',
    async (how) => {
      await planned(3);
      const rows = (await claim()) as [ClaimedDigest, ClaimedDigest, ClaimedDigest];
      const ids = rows.map((row) => row.id);
      await ledger().handOver(rows, 60_000);
      await lapse();
      await recovery().releaseLapsed();
      await sql`update digests set lease_until = clock_timestamp() - interval '1 s'`.execute(test_.database);
      await recovery().giveUp(await recovery().lapsedHandOvers(10), 'vanished');
      const putBack = {
        'by the sweep': () => recovery().resendUnknown(0),
        'by hand': () =>
          createLedgerReport({ database: test_.database, now: () => clock }).settle(ids, 'resend'),
        'by its late results': () => ledger().record(rows.map((row) => ({ ...row, state: 'planned' }))),
      }[how] as () => Promise<unknown>;
      let both: Promise<unknown> = Promise.resolve();
      await test_.database.transaction().execute(async (tx) => {
        // The change of the rows stops halfway.
        await sql`select from digests where id = ${ids[1]} for update`.execute(tx);
        const first = putBack();
        await waiting(1);
        both = Promise.all([first, recovery().settleClaim(leftover(rows, []))]);
        await waiting(2);
      });
      await both;
      expect(await statesOf(test_.database)).toEqual({ planned: 3 });
      expect(await block()).toEqual([{ open: true, held: false }]);
    },
  );

  test('leaves unknown what it found to be so, when its journal is settled', async () => {
    for (const resent of [false, true]) {
      await sql`truncate digests, digest_blocks, subscribers cascade`.execute(test_.database);
      await planned(2);
      const rows = (await claim()) as [ClaimedDigest, ClaimedDigest];
      const directory = mkdtempSync(join(tmpdir(), 'paperboy-blocks-'));
      const journals = openJournals({ directory });
      const journal = journals.open(rows);
      await ledger().handOver(rows, 60_000);
      const lost = { ...rows[0], state: 'unknown', reply: 'lost after the dot' } as const;
      journal.begin(lost.id);
      journal.end(lost);
      await ledger().record([lost]);
      if (resent) expect(await recovery().resendUnknown(0)).toBe(1);
      journal.abandon();
      await settlerOf(test_.database, () => clock, journals)();
      rmSync(directory, { recursive: true });
      const { rows: kept } = await sql`select state, reply, resent from digests order by id`.execute(
        test_.database,
      );
      expect(kept).toEqual([
        { state: resent ? 'planned' : 'unknown', reply: lost.reply, resent },
        { state: 'planned', reply: null, resent: false },
      ]);
    }
  });

  test('past the deadline nothing is tried any more, but what somebody holds is left to them', async () => {
    await planned(3);
    const rows = await claim(1);
    clock = new Date(NOON.getTime() + 37 * 3_600_000);
    expect(await recovery().expire()).toBe(0);
    await ledger().release(rows[0] as ClaimedDigest);
    expect(await recovery().expire()).toBe(3);
    expect(await recovery().closeFinished()).toBe(1);
  });
});

test('a ledger of before, with rows in every state, is carried over', async () => {
  const empty = await createEmptyDatabase();
  try {
    const folder = join(import.meta.dirname, '../../migrations');
    const names = (await readdir(folder)).sort();
    const migrate = async (wanted: (name: string) => boolean) => {
      for (const name of names.filter(wanted)) {
        const { up } = (await import(join(folder, name))) as { up(db: unknown): Promise<void> };
        await empty.database.transaction().execute((tx) => up(tx as unknown as Kysely<unknown>));
      }
    };
    const THIS = '2026-11-21-13-digest-blocks.ts';
    await migrate((name) => name < THIS);
    await sql`
      insert into subscribers (id, email, email_key, state) overriding system value
      select n, n || '@example.org', n || '@example.org', 'active' from generate_series(1, 8) n`.execute(
      empty.database,
    );
    await sql`
      create table digests_2026_06 partition of digests for values from ('2026-06-01') to ('2026-07-01')`.execute(
      empty.database,
    );
    await sql`
      insert into digests (id, edition_date, subscriber_id, state, in_doubt, lease_token, lease_until, attempts,
                           slot_at, due_at, deadline, finished_at)
      select 1000 + 500 * (n % 2) + n, ${EDITION}::date, n, state, state = 'unknown',
             case when state in ('claimed', 'handed_over', 'unknown') then 7 end,
             case when state in ('claimed', 'handed_over') then clock_timestamp() - interval '1 s' end,
             case when state in ('handed_over', 'unknown', 'sent', 'failed', 'deferred') then 1 else 0 end,
             ${NOON}, ${NOON}, ${new Date(NOON.getTime() + 36 * 3_600_000)},
             case when state in ('sent', 'failed', 'unknown', 'skipped') then ${NOON}::timestamptz end
      from unnest('{planned,claimed,handed_over,sent,deferred,failed,unknown,skipped}'::text[])
        with ordinality as t (state, n)`.execute(empty.database);
    await sql`select setval('digest_ids', 2000)`.execute(empty.database);
    await migrate((name) => name >= THIS);
    expect(await statesOf(empty.database)).toEqual({
      planned: 2,
      handed_over: 1,
      sent: 1,
      deferred: 1,
      failed: 1,
      unknown: 1,
      skipped: 1,
    });
    const late = new Date(NOON.getTime() + 120_000);
    const old = createRecoveryStore({ database: empty.database, now: () => late });
    expect(await old.releaseLapsed()).toBe(0);
    const lapsed = await old.lapsedHandOvers(10);
    expect(lapsed).toMatchObject([{ id: 1503, leaseToken: 7 }]);
    expect(await old.giveUp(lapsed, 'vanished')).toEqual([1503]);
    expect(await old.resendUnknown(60_000)).toBe(1);
    expect(await old.resendUnknown(0)).toBe(1);
    expect(await old.stranded(60_000, 10)).toHaveLength(2);
    const now = createLedger({ database: empty.database, now: () => late });
    const claimed = [
      ...(await now.claim(everything, { limit: 500, leaseMs: 60_000 })),
      ...(await now.claim(everything, { limit: 500, leaseMs: 60_000 })),
    ];
    expect(claimed.map((row) => row.subscriberId).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 5, 7]);
  } finally {
    await empty.destroy();
  }
});
