import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DigestId } from '#src/database/ids.ts';
import { createDeliverDigests, type DeliverDependencies } from '#src/digests/deliver.ts';
import { openJournals } from '#src/digests/journal.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { createRecoveryStore } from '#src/digests/recovery-store.ts';
import { createSweep, type SweepDependencies } from '#src/digests/sweep.ts';
import { createHalt } from '#src/mail/delivery-halt.ts';
import { createHaltStore } from '#src/mail/halt-store.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { addressKey, createSuppressionStore } from '#src/mail/suppression-store.ts';
import type { Throttle } from '#src/mail/throttle.ts';
import { createMailTransport } from '#src/mail/transport.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  addReaders,
  composeFor,
  EDITION,
  NOON,
  plannedFor,
  settlerOf,
  statesOf,
} from '../support/ledger-fixture.ts';
import { type SinkScript, type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';
import { waitFor } from '../support/wait.ts';

let test_: TestDatabase;
let sink: SmtpSink;
let clock = NOON;
let first = 0;
const alarms: string[] = [];
const open: { close(): Promise<void> }[] = [];
const suppressions = createSuppressionStore({ hashKey: 'a key of a test' });
const everything = { editionDate: EDITION, from: 0, to: 2 ** 52 };

beforeAll(async () => {
  test_ = await createTestDatabase();
  sink = await startSmtpSink();
});
afterAll(async () => {
  await sink.close();
  await test_.destroy();
});
beforeEach(async () => {
  clock = NOON;
  alarms.length = 0;
  sink.messages.length = 0;
  sink.counts.clear();
  sink.script = () => undefined;
  await sql`truncate digests, digest_blocks, subscribers, suppressions, delivery_halts cascade`.execute(
    test_.database,
  );
});
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

async function plan(count: number) {
  const readers = await addReaders(test_.database, count);
  first = readers[0] ?? 0;
  const ledger = createLedger({ database: test_.database, now: () => clock });
  return ledger.insert(
    test_.database,
    readers.map((id) => plannedFor(id)),
  );
}

function worker(overrides: Partial<DeliverDependencies> = {}) {
  const transport = createMailTransport({ relays: [parseRelay(sink.url)], connections: 4 });
  open.push(transport);
  const { database } = test_;
  return createDeliverDigests({
    ledger: createLedger({ database, now: () => clock }),
    compose: composeFor(first),
    transport,
    suppressedAmong: async (addresses) =>
      new Set((await suppressions.among(database, addresses.map(addressKey))).keys()),
    suppress: (address, reply) =>
      suppressions.add(database, addressKey(address), 'hard_bounce', clock, reply),
    halt: createHalt({ store: createHaltStore({ database }), onAlarm: (reply) => alarms.push(reply) }),
    now: () => clock,
    random: () => 0.5,
    leaseMs: 60_000,
    windowSize: 20,
    ...overrides,
  });
}

const sweeper = (overrides: Partial<SweepDependencies> = {}) => {
  const jobs: unknown[] = [];
  const sweep = createSweep({
    store: createRecoveryStore({ database: test_.database, now: () => clock }),
    notices: { recover: async () => [] },
    queue: { add: async (_name, payload) => void jobs.push(payload) },
    unknownPolicy: 'resend',
    resendAfterMs: 0,
    strandedAfterMs: 0,
    graceMs: 0,
    ...overrides,
  });
  return { sweep, jobs };
};

const perReader = () => Map.groupBy(sink.messages, (message) => message.to);
const lapseLeases = () =>
  sql`update digest_blocks set lease_until = clock_timestamp() - interval '1 s' where lease_until is not null`.execute(
    test_.database,
  );
const refuse =
  (reply: string): SinkScript =>
  (stage) =>
    stage === 'rcpt' ? reply : undefined;

test('two workers on the same rows mail every reader once', async () => {
  await plan(300);
  const summaries = await Promise.all([
    worker()(everything),
    worker({ claimSize: 50 })(everything),
    worker()(everything),
  ]);
  expect(summaries.reduce((sum, summary) => sum + summary.sent, 0)).toBe(300);
  expect(sink.messages).toHaveLength(300);
  expect(perReader().size).toBe(300);
  expect(await statesOf(test_.database)).toEqual({ sent: 300 });
});

test('who leaves, or is suppressed, between plan and send is not mailed', async () => {
  const rows = await plan(30);
  await suppressions.add(test_.database, 'reader2@example.org', 'complaint', NOON);
  const compose = composeFor(first);
  const run = worker({
    // The reader of row 4 unsubscribes while the digests are being composed.
    compose: async (claimed) => {
      const composed = await compose(claimed);
      await sql`update subscribers set state = 'unsubscribed' where id = ${rows[3]?.subscriberId}`.execute(
        test_.database,
      );
      return composed;
    },
  });
  const summary = await run(everything);
  expect(summary).toMatchObject({ sent: 28, skipped: 1 });
  const mailed = perReader();
  expect(mailed.has('reader2@example.org')).toBe(false);
  expect(mailed.has('reader4@example.org')).toBe(false);
  const { rows: skipped } = await sql<{ skip_reason: string }>`
    select skip_reason from digests where state = 'skipped' order by id`.execute(test_.database);
  expect(skipped.map((row) => row.skip_reason)).toEqual(['suppressed', 'unsubscribed']);
});

test('without space for the journal nothing is sent, and the rows are free for another machine', async () => {
  await plan(20);
  const full = { open: () => expect.fail('ENOSPC: no space left on device') };
  await expect(worker({ journals: full })(everything)).rejects.toThrow('ENOSPC');
  expect(sink.messages).toEqual([]);
  expect(await statesOf(test_.database)).toEqual({ planned: 20 });
  clock = new Date(NOON.getTime() + 60_000);
  expect(await worker()(everything)).toMatchObject({ sent: 20 });
});

test('who moves to another address between plan and send is mailed there, and not at the old one', async () => {
  const rows = await plan(10);
  const compose = composeFor(first);
  let moved = false;
  const run = worker({
    compose: async (claimed) => {
      const composed = await compose(claimed);
      if (!moved)
        await sql`update subscribers set email = 'new@example.org', email_key = 'new@example.org'
                  where id = ${rows[3]?.subscriberId}`.execute(test_.database);
      else
        for (const item of composed.values())
          if ('envelope' in item) Object.assign(item.envelope, { to: 'new@example.org' });
      moved = true;
      return composed;
    },
  });
  expect(await run(everything)).toMatchObject({ sent: 9, planned: 1 });
  clock = new Date(NOON.getTime() + 5_000);
  expect(await run(everything)).toMatchObject({ sent: 1 });
  const mailed = perReader();
  expect(mailed.has('reader4@example.org')).toBe(false);
  expect(mailed.get('new@example.org')).toHaveLength(1);
});

test('a range of which limits put off some asks for itself again, and not once all is done', async () => {
  await plan(10);
  const asked: number[] = [];
  let room = 4;
  const throttle = {
    admit: async (addresses: readonly string[]) => addresses.map(() => (room-- > 0 ? 0 : 5_000)),
    pauseMs: async () => 0,
    spend: () => undefined,
    learn: () => undefined,
  };
  const run = worker({ throttle, again: async (_range, afterMs) => void asked.push(afterMs) });
  expect(await run(everything)).toMatchObject({ sent: 4, planned: 6 });
  expect(asked).toHaveLength(1);
  clock = new Date(NOON.getTime() + 10_000);
  room = 100;
  expect(await run(everything)).toMatchObject({ sent: 6 });
  expect(asked).toHaveLength(1);
});

test('a row that cannot be composed is put off alone', async () => {
  const rows = await plan(10);
  const compose = composeFor(first);
  const faults: unknown[] = [];
  const run = worker({
    compose: async (claimed) => {
      // Never all of them: that would be a fault of the database, not of a row.
      if (claimed.length > 1 && claimed.some((row) => row.id === rows[4]?.id)) throw new Error('broken');
      if (claimed[0]?.id === rows[4]?.id) throw new Error('broken content');
      return compose(claimed);
    },
    onFault: (error) => faults.push(error),
  });
  expect(await run(everything)).toMatchObject({ sent: 9, deferred: 1 });
  expect(faults).toHaveLength(1);
});

test('a digest that turns out not to be composable when its turn comes is put off alone', async () => {
  const rows = await plan(10);
  const compose = composeFor(first);
  const faults: unknown[] = [];
  const run = worker({
    compose: async (claimed) => {
      const composed = new Map(await compose(claimed));
      const broken = () => expect.fail('broken content');
      composed.set(rows[4]?.id as DigestId, { to: 'reader5@example.org', compose: broken });
      return composed;
    },
    onFault: (error, row) => faults.push([String(error), row.id]),
  });
  expect(await run(everything)).toMatchObject({ sent: 9, deferred: 1 });
  expect(faults).toEqual([['AssertionError: broken content', rows[4]?.id]]);
  const { rows: found } = await sql<{ reply: string; due: Date }>`
    select reply, due_at as due from digests where state = 'deferred'`.execute(test_.database);
  expect(found).toEqual([
    { reply: expect.stringContaining('could not be composed'), due: new Date(NOON.getTime() + 10 * 60_000) },
  ]);
});

describe('replies', () => {
  test('4xx is tried again later, each time later still, until the deadline', async () => {
    await plan(1);
    sink.script = refuse('450 4.2.1 busy');
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 60; attempt++) {
      const summary = await worker()(everything);
      if (summary.failed === 1) break;
      expect(summary.deferred).toBe(1);
      const { rows } = await sql<{ due_at: Date }>`select due_at from digests`.execute(test_.database);
      const due = rows[0]?.due_at ?? clock;
      pauses.push((due.getTime() - clock.getTime()) / 60_000);
      clock = due;
    }
    expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(await statesOf(test_.database)).toEqual({ failed: 1 });
    expect(clock.getTime()).toBeLessThan(NOON.getTime() + 36 * 3_600_000);
  });

  test('5.1.1 fails and suppresses the address; a refused message does not', async () => {
    await plan(2);
    sink.script = (stage, { to }) =>
      stage === 'rcpt' && to.startsWith('reader1@')
        ? '550 5.1.1 no such user'
        : stage === 'content'
          ? '554 5.7.1 spam'
          : undefined;
    expect(await worker()(everything)).toMatchObject({ failed: 2 });
    const found = await suppressions.among(test_.database, ['reader1@example.org', 'reader2@example.org']);
    expect(found).toEqual(new Map([['reader1@example.org', 'hard_bounce']]));
  });

  test('a relay that rejects the sender stops all workers with one alarm, burns no reader, and is probed', async () => {
    await plan(100);
    sink.script = (stage) => (stage === 'mail' ? '550 5.7.1 you are blocked' : undefined);
    const run = worker();
    await run(everything);
    expect(alarms).toEqual(['550 5.7.1 you are blocked']);
    const { planned = 0, deferred = 0 } = await statesOf(test_.database);
    expect(planned + deferred).toBe(100);
    expect(deferred).toBeLessThanOrEqual(20);
    // Neither this worker nor another one tries, although the relay would take mail now.
    sink.script = () => undefined;
    const refusals = refusedSenders();
    await run(everything);
    await worker()(everything);
    expect(refusedSenders()).toBe(refusals);
    // One of them probes when it is time; refused again, it stays quiet and waits for longer.
    clock = new Date(NOON.getTime() + 3_600_000);
    sink.script = (stage) => (stage === 'mail' ? '550 5.7.1 still blocked' : undefined);
    await probeNow();
    await Promise.all([worker()(everything), worker()(everything)]);
    expect(refusedSenders() - refusals).toBeLessThanOrEqual(3);
    expect(alarms).toHaveLength(1);
    // The next probe is taken: the halt is over, for all.
    clock = new Date(NOON.getTime() + 2 * 3_600_000);
    sink.script = () => undefined;
    await probeNow();
    expect(await worker()(everything)).toMatchObject({ sent: 100 });
    expect(await createHaltStore({ database: test_.database }).look()).toBeNull();
  });

  const refusedSenders = () => sink.commands.filter((command) => command.startsWith('MAIL')).length;
  const probeNow = () =>
    sql`update delivery_halts set next_probe_at = clock_timestamp()`.execute(test_.database);

  test('one reader whose domain the relay won’t serve does not stop the mail of the others', async () => {
    await plan(100);
    sink.script = (stage, { line }) =>
      stage === 'rcpt' && /reader(50|51)@/.test(line) ? '554 5.7.1 relay access denied' : undefined;
    expect(await worker()(everything)).toMatchObject({ sent: 98, deferred: 2 });
    expect(alarms).toEqual([]);
  });

  test('a relay that is gone defers for a short while', async () => {
    await plan(5);
    const gone = await startSmtpSink();
    await gone.close();
    const transport = createMailTransport({ relays: [parseRelay(gone.url)], connections: 1, patienceMs: 0 });
    open.push(transport);
    expect(await worker({ transport })(everything)).toMatchObject({ deferred: 5 });
    clock = new Date(NOON.getTime() + 30_000);
    expect(await worker()(everything)).toMatchObject({ sent: 5 });
  });
});

describe('crashes', () => {
  test('after the claim: sent later, once, nothing in doubt', async () => {
    await plan(40);
    const ledger = createLedger({ database: test_.database, now: () => clock });
    await ledger.claim(everything, { limit: 25, leaseMs: 60_000 });
    // The block is held, whole.
    expect(await worker()(everything)).toMatchObject({ sent: 0 });
    await lapseLeases();
    const { sweep, jobs } = sweeper();
    expect(await sweep()).toMatchObject({ released: 40, unknown: 0, resent: 0 });
    expect(jobs.length).toBeGreaterThan(0);
    expect(await worker()(everything)).toMatchObject({ sent: 40 });
    expect(perReader().size).toBe(40);
    expect(sink.messages).toHaveLength(40);
  });

  test.each(['resend', 'leave'] as const)(
    'after hand-over: unknown, and policy "%s" rules',
    async (policy) => {
      await plan(10);
      const ledger = createLedger({ database: test_.database, now: () => clock });
      const claimed = await ledger.claim(everything, { limit: 3, leaseMs: 60_000 });
      await ledger.handOver(claimed, 60_000);
      await worker()(everything);
      await lapseLeases();
      const { sweep } = sweeper({ unknownPolicy: policy });
      expect(await sweep()).toMatchObject({ unknown: 3, resent: policy === 'resend' ? 3 : 0 });
      await worker()(everything);
      expect(sink.messages).toHaveLength(policy === 'resend' ? 10 : 7);
      expect(new Set(sink.counts.values())).toEqual(new Set([1]));
      expect(await statesOf(test_.database)).toEqual(
        policy === 'resend' ? { sent: 10 } : { sent: 7, unknown: 3 },
      );
    },
  );

  test('a lapsed hand-over is given up only after it has been watched for the grace', async () => {
    await plan(1);
    const ledger = createLedger({ database: test_.database, now: () => clock });
    await ledger.handOver(await ledger.claim(everything, { limit: 1, leaseMs: 60_000 }), 60_000);
    await lapseLeases();
    const { sweep } = sweeper({ graceMs: 3_600_000 });
    expect(await sweep()).toMatchObject({ unknown: 0 });
    expect(await sweep()).toMatchObject({ unknown: 0 });
    expect(await statesOf(test_.database)).toEqual({ handed_over: 1 });
  });

  test('a process that stalls beyond its lease sends nothing more', async () => {
    await plan(30);
    const ledger = createLedger({ database: test_.database, now: () => clock });
    let stalled = false;
    const summary = await worker({
      leaseMs: 1_000,
      windowSize: 30,
      ledger: {
        ...ledger,
        // A renewal that succeeded would prove that the rows are still ours.
        renew: async () => Promise.reject(new Error('out of reach')),
        handOver: async (...parameters) => {
          const answer = await ledger.handOver(...parameters);
          // The event loop stands still for longer than the lease, right after the commit.
          if (!stalled) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200);
          stalled = true;
          return answer;
        },
      },
    })(everything);
    expect(summary.planned).toBeGreaterThanOrEqual(30);
    // Given back, then taken again by the same run, and sent once.
    expect(summary.sent).toBe(30);
    expect(sink.messages).toHaveLength(30);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
  });

  test('a connection lost after the dot leaves exactly that digest unknown', async () => {
    await plan(20);
    let dropped = false;
    sink.script = (stage) => {
      if (stage !== 'content' || dropped) return undefined;
      dropped = true;
      return 'drop';
    };
    expect(await worker()(everything)).toMatchObject({ sent: 19, unknown: 1 });
    expect(sink.messages).toHaveLength(20);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
  });

  test('a database that is away while results are recorded forgets none', async () => {
    await plan(20);
    const ledger = createLedger({ database: test_.database, now: () => clock });
    let failures = 3;
    const summary = await worker({
      ledger: {
        ...ledger,
        record: async (results) => {
          failures -= 1;
          if (failures >= 0) throw new Error('terminating connection due to administrator command');
          return ledger.record(results);
        },
      },
    })(everything);
    expect(summary.sent).toBe(20);
    expect(await statesOf(test_.database)).toEqual({ sent: 20 });
  });
});

test('asked to stop, it finishes what is on the wire and gives the rest back, untried', async () => {
  await plan(100);
  const untouched = sql`select distinct xmin from digests where state = 'planned'`;
  const [before] = (await untouched.execute(test_.database)).rows;
  const stopping = new AbortController();
  sink.script = (stage) => {
    if (stage === 'content') stopping.abort();
    return undefined;
  };
  const summary = await worker()(everything, { signal: stopping.signal });
  // On each of the four connections: one whose content is being sent, one whose envelope went with it.
  expect(summary.sent).toBeGreaterThan(0);
  expect(summary.sent).toBeLessThanOrEqual(8);
  expect(sink.messages).toHaveLength(summary.sent);
  expect(await statesOf(test_.database)).toEqual({ sent: summary.sent, planned: 100 - summary.sent });
  const { rows } = await sql`select distinct attempts from digests where state = 'planned'`.execute(
    test_.database,
  );
  expect(rows).toEqual([{ attempts: 0 }]);
  // Two windows of 20 were handed over at most: of the others nothing is written, they are free with their block.
  const written = sql<{
    n: number;
  }>`select count(*) as n from digests where xmin <> ${(before as { xmin: string }).xmin}::xid`;
  expect((await written.execute(test_.database)).rows[0]?.n).toBeLessThanOrEqual(40);
  expect(
    (await sql`select from digest_blocks where lease_token is null`.execute(test_.database)).rows,
  ).toHaveLength(1);
});

test('an address that bounces while its digest, composed, waits for the limits is not mailed', async () => {
  await plan(30);
  const late = 'reader30@example.org';
  const throttle: Throttle = {
    admit: async (addresses) => {
      if (addresses.includes(late))
        await suppressions.add(test_.database, addressKey(late), 'hard_bounce', clock);
      return addresses.map(() => 0);
    },
    pauseMs: async () => 0,
    spend: () => undefined,
    learn: () => undefined,
  };
  expect(await worker({ throttle })(everything)).toMatchObject({ sent: 29, skipped: 1 });
  expect(perReader().has(late)).toBe(false);
});

test('a database away at the end of a claim: its journal gives the block back', async () => {
  await plan(100);
  const directory = mkdtempSync(join(tmpdir(), 'paperboy-deliver-'));
  const journals = openJournals({ directory });
  const ledger = createLedger({ database: test_.database, now: () => clock });
  const stopping = new AbortController();
  sink.script = (stage) => {
    if (stage === 'content') stopping.abort();
    return undefined;
  };
  const release = async () => {
    throw new Error('terminating connection due to administrator command');
  };
  const run = worker({ ledger: { ...ledger, release }, journals });
  const summary = await run(everything, { signal: stopping.signal });
  expect(await ledger.nextDue(everything)).toBeNull();
  const settle = settlerOf(test_.database, () => clock, journals);
  expect(await settle()).toMatchObject({ claims: 1, unknown: 0 });
  sink.script = () => undefined;
  expect((await worker()(everything)).sent).toBe(100 - summary.sent);
  expect(perReader().size).toBe(100);
  expect(sink.messages).toHaveLength(100);
  rmSync(directory, { recursive: true });
});

test('the next window is handed over while one is on the wire, and no more', async () => {
  await plan(100);
  const open: number[] = [];
  sink.script = async (stage) => {
    if (stage !== 'content') return undefined;
    const { rows } = await sql<{
      n: number;
    }>`select count(*) as n from digest_states where state = 'handed_over'`.execute(test_.database);
    open.push(rows[0]?.n ?? 0);
    return undefined;
  };
  const summary = await worker()(everything);
  expect(summary.sent).toBe(100);
  expect(Math.max(...open)).toBe(40);
});

test('servers that hang hold up the digests they have, and no others', async () => {
  await plan(100);
  let contents = 0;
  sink.script = (stage) => (stage === 'content' && [5, 25].includes(++contents) ? 'hang' : undefined);
  let letGo = () => undefined as void;
  const alone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const transport = createMailTransport({ relays: [parseRelay(sink.url)], connections: 4, stuckMs: 500 });
  open.push(transport);
  const delivered = worker({ transport, lateMs: 100 })(everything, { letGo });
  await alone;
  await waitFor('all the others', async () => {
    const { rows } = await sql<{ state: string; n: number }>`
      select state, count(*) as n from digest_states group by 1 order by 1`.execute(test_.database);
    return rows[0]?.state === 'handed_over' && rows[0].n === 2 && rows[1]?.n === 98;
  });
  sink.dropAll();
  expect(await delivered).toMatchObject({ sent: 98, unknown: 2 });
});
