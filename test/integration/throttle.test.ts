import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createThrottle, parseLimits } from '#src/mail/throttle.ts';
import { createThrottleStore } from '#src/mail/throttle-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { waitFor } from '../support/wait.ts';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.destroy());
beforeEach(() => sql`truncate throttles`.execute(test_.database));

const store = () => createThrottleStore({ database: test_.database });
const now = () => new Date('2026-11-22T10:00:00Z');
const throttle = (rates: string, warmUp = '', patienceMs = 0) =>
  createThrottle({ store: store(), limits: parseLimits(rates, warmUp), now, patienceMs });
const readers = (count: number, domain = 'example.org') =>
  Array.from({ length: count }, (_, n) => `reader${n}@${domain}`);
const admitted = (waits: number[]) => waits.filter((wait) => wait === 0).length;

describe('limits', () => {
  test('of all together are kept by several workers together', async () => {
    // 600 a minute: a sixth of it at once.
    const workers = [throttle('*=600'), throttle('*=600'), throttle('*=600')];
    const waits = await Promise.all(workers.map((worker) => worker.admit(readers(80))));
    const total = waits.reduce((sum, wait) => sum + admitted(wait), 0);
    expect(total).toBeGreaterThanOrEqual(100);
    // What was refilled while the test ran.
    expect(total).toBeLessThanOrEqual(115);
    const held = waits.flat().filter((wait) => wait > 0);
    expect(new Set(held).size).toBeGreaterThan(10);
  });

  test('of all together make a worker wait rather than give its rows back, unless it is asked to stop', async () => {
    // 20 at once, then two a tenth of a second.
    const [one, other] = [throttle('*=1200', '', 20_000), throttle('*=1200', '', 20_000)];
    await one.admit(readers(200));
    const start = performance.now();
    const waits = await Promise.all([one.admit(readers(20)), other.admit(readers(20))]);
    expect(admitted(waits.flat())).toBe(40);
    expect(performance.now() - start).toBeGreaterThan(1_500);
    const stopping = new AbortController();
    const stopped = one.admit(readers(500), stopping.signal);
    stopping.abort();
    expect(admitted(await stopped)).toBeLessThan(100);
  });

  test('put off what is over them at their pace, also from one window to the next', async () => {
    const limited = throttle('slow.test=60');
    const waits = [
      ...(await limited.admit(readers(30, 'slow.test'))),
      ...(await limited.admit(readers(30, 'slow.test'))),
    ].filter((wait) => wait > 0);
    expect(waits.length).toBeGreaterThan(45);
    expect(Math.max(...waits)).toBeGreaterThan(45_000);
  });

  test('of one domain leave the others alone', async () => {
    const waits = await throttle('slow.test=6').admit([...readers(5, 'slow.test'), ...readers(50)]);
    expect(admitted(waits.slice(0, 5))).toBe(1);
    expect(admitted(waits.slice(5))).toBe(50);
    // One every ten seconds, each in its turn.
    const turns = waits.slice(1, 5).map((wait) => Math.round(wait / 10_000));
    expect(turns).toEqual([1, 2, 3, 4]);
  });

  test('without any let everything go and ask nothing', async () => {
    expect(admitted(await throttle('').admit(readers(500)))).toBe(500);
  });

  test('refill with time', async () => {
    const limited = throttle('*=6000');
    await limited.admit(readers(1_000));
    let more = 0;
    await waitFor('more', async () => {
      more += admitted(await limited.admit(readers(5)));
      return more >= 5;
    });
  });
});

test('a new sender’s days have a budget, and later days none', async () => {
  expect(admitted(await throttle('', '2026-11-21: 10 20 40').admit(readers(30)))).toBe(20);
  expect(admitted(await throttle('', '2026-11-21: 10 20 40').admit(readers(5)))).toBe(0);
  expect(admitted(await throttle('', '2026-11-01: 10 20 40').admit(readers(500)))).toBe(500);
});

test('a domain that asks for patience is left alone, longer each time, and the others are not', async () => {
  const worker = throttle('');
  worker.learn('a@busy.test', { type: 'deferred', reply: '421 4.7.0 try again later' });
  worker.learn('a@other.test', { type: 'deferred', reply: '450 4.2.1 mailbox busy' });
  for (let n = 0; n < 5; n++)
    worker.learn('a@other.test', { type: 'deferred', reply: '451 4.7.1 Greylisted, come again' });
  await waitFor('the pause', async () => (await store().paused()).has('domain:busy.test'));
  // Another process learns of it too.
  const other = throttle('');
  const waits = await other.admit(['b@busy.test', 'b@other.test']);
  expect(waits[0]).toBeGreaterThan(30_000);
  expect(waits[1]).toBe(0);
  await sql`update throttles set paused_until = clock_timestamp() - interval '1 s'`.execute(test_.database);
  await store().backOff('domain:busy.test');
  const { rows } = await sql<{ refusals: number; minutes: number }>`
    select refusals, extract(epoch from paused_until - clock_timestamp())::float8 / 60 as minutes from throttles
    where key = 'domain:busy.test'`.execute(test_.database);
  expect(rows[0]?.refusals).toBe(2);
  expect(rows[0]?.minutes).toBeCloseTo(2, 1);
});

test('a domain that takes mail is not left alone for one message that it refuses, but for three in a row', async () => {
  const worker = throttle('');
  const refusal = { type: 'deferred', reply: '421 4.7.0 slow down' };
  const paused = async () => (await store().paused()).has('domain:picky.test');
  for (let n = 0; n < 20; n++) {
    worker.learn('a@picky.test', { type: 'accepted', reply: '250 ok' });
    worker.learn('b@picky.test', refusal);
  }
  expect(await worker.admit(['c@picky.test'])).toEqual([0]);
  expect(await paused()).toBe(false);
  for (let n = 0; n < 2; n++) worker.learn('b@picky.test', refusal);
  await waitFor('the pause', paused);
});

test('a domain that takes mail between its pauses is not left alone for longer each time', async () => {
  const key = 'domain:moody.test';
  const refusals = async () =>
    (
      await sql<{ refusals: number }>`select refusals from throttles where key = ${key}`.execute(
        test_.database,
      )
    ).rows[0]?.refusals;
  await store().backOff(key);
  const worker = throttle('');
  await worker.admit(['a@moody.test']);
  // What was on its way when the pause began says nothing.
  worker.learn('a@moody.test', { type: 'accepted', reply: '250 ok' });
  await store().forgive(key);
  expect(await refusals()).toBe(1);
  await sql`update throttles set paused_until = clock_timestamp() + interval '50 ms'`.execute(test_.database);
  const other = throttle('');
  await other.admit(['a@moody.test']);
  await waitFor('the end of the pause', async () => !(await store().paused()).has(key));
  other.learn('a@moody.test', { type: 'accepted', reply: '250 ok' });
  await waitFor('forgiveness', async () => (await refusals()) === 0);
});

test('what a domain still refuses of what was on its way does not hide the end of its pause', async () => {
  const worker = throttle('');
  const refusal = { type: 'deferred', reply: '451 4.7.1 too fast' };
  worker.learn('a@late.test', refusal);
  await waitFor('the pause', async () => (await store().paused()).has('domain:late.test'));
  await sql`update throttles set paused_until = clock_timestamp() + interval '2 s'`.execute(test_.database);
  await worker.admit(['b@late.test']);
  for (let n = 0; n < 5; n++) worker.learn('c@late.test', refusal);
  await waitFor('the end of the pause', async () => !(await store().paused()).has('domain:late.test'));
  worker.learn('b@late.test', { type: 'accepted', reply: '250 ok' });
  await waitFor('forgiveness', async () => {
    const { rows } = await sql<{ refusals: number }>`
      select refusals from throttles where key = 'domain:late.test'`.execute(test_.database);
    return rows[0]?.refusals === 0;
  });
});

test('limits that are not understood are told', () => {
  expect(() => parseLimits('gmail.com', '')).toThrow(/no limit/);
  expect(() => parseLimits('*=0', '')).toThrow(/no limit/);
  expect(() => parseLimits('', 'soon: 5')).toThrow(/no warm-up/);
});
