import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isoDate, type NoticeId } from '#src/database/ids.ts';
import { openJournals } from '#src/digests/journal.ts';
import { nameOf, thisProcess } from '#src/digests/process-identity.ts';
import { contentOf } from '#src/mail/content.ts';
import { createDeliverNotices } from '#src/mail/deliver-notices.ts';
import { limitDomains, parseDomainConnections } from '#src/mail/domain-connections.ts';
import type { MailTransport, OutgoingMessage } from '#src/mail/message.ts';
import { selectUncertainNotices } from '#src/mail/notice-report-store.ts';
import { type ClaimedNotice, createNoticeStore, type NoticeResult } from '#src/mail/notice-store.ts';
import { createRelayPermits } from '#src/mail/relay-permits.ts';
import { createSlotStore } from '#src/mail/slot-store.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { createThrottle, parseLimits } from '#src/mail/throttle.ts';
import { createThrottleStore } from '#src/mail/throttle-store.ts';
import { createMailTransport } from '#src/mail/transport.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { settlerOf } from '../support/ledger-fixture.ts';
import { type SinkOptions, type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';
import { waitFor } from '../support/wait.ts';

let test_: TestDatabase;
const open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.destroy());
beforeEach(() => sql`truncate throttles, connection_slots, notices`.execute(test_.database));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

const message = (n: number, domain = 'example.org'): OutgoingMessage => ({
  envelope: { from: 'bounces@paperboy.test', to: `reader${n}@${domain}` },
  messageId: `<${n}@paperboy.test>`,
  content: contentOf(Buffer.from(`Message-ID: <${n}@paperboy.test>\r\n\r\nHello ${n}\r\n`)),
});
const yes = () => true;
const sendMany = (transport: MailTransport, count: number, domain?: string) =>
  Promise.all(Array.from({ length: count }, (_, n) => transport.send(message(n, domain), yes)));

async function sinkWith(options: SinkOptions = {}): Promise<SmtpSink> {
  const sink = await startSmtpSink(options);
  open.push(sink);
  return sink;
}

/** The transport of one process to a relay with a limit. */
function process_(url: string): MailTransport {
  const transport = createMailTransport({
    relays: [parseRelay(url)],
    connections: 4,
    permits: (relay, onMore) =>
      relay.perMinute === undefined
        ? undefined
        : createRelayPermits({
            store: createThrottleStore({ database: test_.database }),
            relay,
            perMinute: relay.perMinute,
            onMore,
          }),
  });
  open.push(transport);
  return transport;
}

describe('a relay that takes so many messages a minute', () => {
  test('gets no more of two processes together, and in the end all', async () => {
    const sink = await sinkWith();
    const processes = [1, 2].map(() => process_(`${sink.url}?per-minute=1200`));
    const start = performance.now();
    const outcomes = (await Promise.all(processes.map((one) => sendMany(one, 30)))).flat();
    const seconds = (performance.now() - start) / 1000;
    expect(outcomes.every((outcome) => outcome.type === 'accepted')).toBe(true);
    // 20 at once, then 20 a second.
    expect(60).toBeLessThanOrEqual(20 + 20 * seconds + 1);
  });

  test('leaves the rest to another relay, and gets what is urgent first', async () => {
    const limited = await sinkWith();
    const free = await sinkWith();
    const both = createMailTransport({
      relays: [parseRelay(`${limited.url}?per-minute=60`), parseRelay(free.url)],
      connections: 2,
      permits: (relay, onMore) =>
        relay.perMinute === undefined
          ? undefined
          : createRelayPermits({
              store: createThrottleStore({ database: test_.database }),
              relay,
              perMinute: relay.perMinute,
              onMore,
            }),
    });
    open.push(both);
    await sendMany(both, 30);
    expect(limited.messages.length).toBeLessThanOrEqual(2);
    const alone = process_(`${limited.url}?per-minute=60`);
    const before = limited.messages.length;
    const digests = sendMany(alone, 3);
    const urgent = alone.send(message(99), yes, { urgent: true });
    await urgent;
    expect(limited.messages.slice(before).map((sunk) => sunk.messageId)).toContain('<99@paperboy.test>');
    expect(limited.messages.length - before).toBeLessThanOrEqual(2);
    await alone.close();
    const left = (await digests).filter((outcome) => outcome.type === 'deferred');
    expect(left.length).toBeGreaterThanOrEqual(1);
  });
});

describe('connections to one domain', () => {
  const limited = (url: string, limits: string) => {
    const transport = limitDomains({
      transport: createMailTransport({ relays: [parseRelay(url)], connections: 8 }),
      store: createSlotStore({ database: test_.database }),
      limits: parseDomainConnections(limits),
    });
    open.push(transport);
    return transport;
  };

  /** A sink that knows how many messages of a domain were on their way at most. */
  async function watched() {
    const now = new Map<string, number>();
    const peak = new Map<string, number>();
    const sink = await sinkWith({
      script: async (stage, { line, to }) => {
        const domain = (/@([^>]*)>/.exec(line)?.[1] ?? to.split('@')[1]) as string;
        if (stage === 'rcpt') {
          now.set(domain, (now.get(domain) ?? 0) + 1);
          peak.set(domain, Math.max(peak.get(domain) ?? 0, now.get(domain) ?? 0));
        }
        if (stage !== 'content') return undefined;
        await delay(3);
        now.set(domain, (now.get(domain) ?? 0) - 1);
        return undefined;
      },
    });
    return { sink, peak };
  }

  test('are as many as allowed, over all processes; other domains are free', async () => {
    const { sink, peak } = await watched();
    const processes = [1, 2].map(() => limited(sink.url, 'slow.test=3'));
    const sent = await Promise.all(
      processes.flatMap((one) => [sendMany(one, 40, 'slow.test'), sendMany(one, 40, 'free.test')]),
    );
    expect(sent.flat().every((outcome) => outcome.type === 'accepted')).toBe(true);
    expect(peak.get('slow.test')).toBeLessThanOrEqual(3);
    expect(peak.get('free.test')).toBeGreaterThan(3);
    for (const one of processes) await one.close();
    const { rows } = await sql`select * from connection_slots`.execute(test_.database);
    expect(rows).toEqual([]);
  });

  test('of a process that died are free once its lease has run out, and urgent mail asks for none', async () => {
    const { sink } = await watched();
    await sql`insert into connection_slots values ('domain:slow.test', 'dead', 2,
              clock_timestamp() + interval '1 s')`.execute(test_.database);
    const one = limited(sink.url, '*=2');
    const start = performance.now();
    const waiting = one.send(message(1, 'slow.test'), yes);
    expect(await one.send(message(2, 'slow.test'), yes, { urgent: true })).toMatchObject({
      type: 'accepted',
    });
    expect(sink.messages).toHaveLength(1);
    expect(await waiting).toMatchObject({ type: 'accepted' });
    expect(performance.now() - start).toBeGreaterThan(500);
  });

  test('that nobody gets back are given up with the process: what waits is given back untried', async () => {
    const { sink } = await watched();
    await sql`insert into connection_slots values ('domain:slow.test', 'other', 1,
              clock_timestamp() + interval '1 hour')`.execute(test_.database);
    const one = limited(sink.url, 'slow.test=1');
    const waiting = one.send(message(1, 'slow.test'), yes);
    await one.close();
    expect(await waiting).toEqual({ type: 'deferred', reply: 'shutting down' });
  });
});

describe('a confirmation', () => {
  const clock = new Date();
  const store = () => createNoticeStore({ database: test_.database, now: () => clock });
  const planTest = async (email: string): Promise<NoticeId> => {
    const planned = { subscriberId: null, email, language: 'en', notice: { kind: 'test' } } as const;
    const [id] = await store().plan(test_.database, [planned], clock);
    return id as NoticeId;
  };
  const throttle = () =>
    createThrottle({
      store: createThrottleStore({ database: test_.database }),
      limits: parseLimits('*=6', ''),
      now: () => clock,
    });
  const deliver = (url: string, overrides: Partial<Parameters<typeof createDeliverNotices>[0]> = {}) => {
    const transport = createMailTransport({ relays: [parseRelay(url)], connections: 1 });
    open.push(transport);
    return createDeliverNotices({
      store: store(),
      compose: async ({ id, email }) => ({
        ...message(id),
        envelope: { from: 'bounces@paperboy.test', to: email },
      }),
      transport,
      suppressedAmong: async () => new Set<string>(),
      suppress: async () => undefined,
      throttle: throttle(),
      now: () => clock,
      leaseMs: 60_000,
      ...overrides,
    });
  };
  const states = async () =>
    (await sql<{ state: string }>`select state, resent from notices order by id`.execute(test_.database))
      .rows;
  const recover = () => store().recover({ resend: true, waitMs: -1_000 });

  test('goes although the rate is spent, and is counted', async () => {
    const sink = await sinkWith();
    const ids = [await planTest('a@example.org'), await planTest('b@example.org')];
    expect(await deliver(sink.url)(ids)).toBe(2);
    await waitFor('the count', async () => {
      const { rows } = await sql<{
        tokens: number;
      }>`select tokens from throttles where key = 'global'`.execute(test_.database);
      return (rows[0]?.tokens ?? 1) < 1;
    });
  });

  test('waits for a domain that asks for patience, until its pause is over', async () => {
    const sink = await sinkWith();
    await createThrottleStore({ database: test_.database }).backOff('domain:busy.test');
    const id = await planTest('a@busy.test');
    expect(await deliver(sink.url)([id])).toBe(0);
    expect(sink.messages).toEqual([]);
    const { rows } = await sql<{ state: string; wait: number }>`
      select state, extract(epoch from due_at)::float8 - ${clock.getTime() / 1000} as wait from notices`.execute(
      test_.database,
    );
    expect(rows[0]?.state).toBe('deferred');
    expect(rows[0]?.wait).toBeGreaterThan(30);
    expect(rows[0]?.wait).toBeLessThanOrEqual(61);
  });

  test('comes back by itself while no relay is reached, soon at first', async () => {
    const gone = await startSmtpSink();
    await gone.close();
    const asked: [number, number][] = [];
    const again = async (id: number, afterMs: number) => void asked.push([id, afterMs]);
    const id = await planTest('a@example.org');
    expect(await deliver(gone.url, { again })([id])).toBe(0);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.[0]).toBe(id);
    expect(asked[0]?.[1]).toBeLessThan(6_000);
    const now = () => new Date(clock.getTime() + (asked[0]?.[1] ?? 0));
    open.push(await startSmtpSink({ port: gone.port }));
    const later = { now, store: createNoticeStore({ database: test_.database, now }) };
    expect(await deliver(gone.url, later)([id])).toBe(1);
  });

  test('makes its domain’s back-off known when it is the one that is told', async () => {
    const sink = await sinkWith({
      script: (stage) => (stage === 'rcpt' ? '450 4.7.1 too fast' : undefined),
    });
    await deliver(sink.url)([await planTest('a@grey.test')]);
    await waitFor('the pause', async () =>
      (await createThrottleStore({ database: test_.database }).paused()).has('domain:grey.test'),
    );
  });

  test('that a server is long to answer for stays with its worker, whatever its lease', async () => {
    const sink = await sinkWith({
      script: (stage) => (stage === 'content' ? delay(900, undefined) : undefined),
    });
    const sent = deliver(sink.url, { leaseMs: 300 })([await planTest('a@slow.test')]);
    await delay(700);
    expect(await recover()).toEqual([]);
    expect(await states()).toEqual([{ state: 'handed_over', resent: false }]);
    expect(await selectUncertainNotices(test_.database, isoDate('2020-01-01'), 10)).toEqual([]);
    expect(await sent).toBe(1);
    expect(await states()).toEqual([{ state: 'sent', resent: false }]);
  });

  test('of a killed worker is sent again, once, and reported', async () => {
    const sink = await sinkWith();
    const id = await planTest('a@killed.test');
    const [claimed] = await store().claim([id], 0);
    await sql`update notices set state = 'handed_over'`.execute(test_.database);
    expect(claimed?.id).toBe(id);
    expect(await recover()).toEqual([id]);
    expect(await deliver(sink.url)([id])).toBe(1);
    expect(await selectUncertainNotices(test_.database, isoDate('2020-01-01'), 10)).toMatchObject([
      { id, kind: 'test', state: 'sent', resent: true },
    ]);
  });

  test('of a killed worker is in doubt only where it was on the wire, and goes on at once where it was not', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'paperboy-notices-'));
    const journals = openJournals({ directory });
    const ids = [];
    for (const name of ['sent', 'wire', 'waits', 'idle']) ids.push(await planTest(`${name}@killed.test`));
    const claims = (await store().claim(ids, 60_000)).toSorted((one, other) => one.id - other.id);
    const [answered, onTheWire, waiting] = claims.map(({ id, leaseToken }) => ({ id, leaseToken }));
    if (!answered || !onTheWire || !waiting) throw new Error('nothing was claimed');
    for (const claim of [answered, onTheWire, waiting]) await store().handOver(claim, 60_000);
    const journal = journals.openNotices(claims);
    journal.begin(answered.id);
    journal.end({ ...answered, state: 'sent', reply: '250 ok' });
    journal.begin(onTheWire.id);
    journal.abandon();
    const summary = await settlerOf(test_.database, () => clock, journals)();
    expect(summary).toMatchObject({ claims: 1, unknownNotices: 1 });
    expect(new Set(summary.notices)).toEqual(new Set(ids.slice(2)));
    expect((await states()).map(({ state }) => state)).toEqual(['sent', 'unknown', 'planned', 'planned']);
    // As if it had never been tried.
    const { rows } = await sql<{
      attempts: number;
    }>`select attempts from notices where state = 'planned'`.execute(test_.database);
    expect(rows).toEqual([{ attempts: 0 }, { attempts: 0 }]);
    rmSync(directory, { recursive: true });
  });

  test('that was claimed by a process that is gone, or by a statement whose answer never came, is free at the next look', async () => {
    const own = nameOf(thisProcess());
    for (const holder of [nameOf({ ...thisProcess(), started: 'long ago' }), own]) {
      const id = await planTest('a@claimed.test');
      await sql`update notices set state = 'claimed', holder = ${holder}, lease_token = nextval('lease_tokens'),
                       lease_until = clock_timestamp() + interval '1 minute' where id = ${id}`.execute(
        test_.database,
      );
      expect((await settlerOf(test_.database, () => clock)()).notices).toEqual([id]);
    }
    const held = createNoticeStore({ database: test_.database, now: () => clock, holder: own });
    const [claimed] = await held.claim([await planTest('b@claimed.test')], 60_000);
    expect((await settlerOf(test_.database, () => clock)()).notices).toEqual([]);
    held.drop(claimed?.leaseToken ?? 0);
    expect((await settlerOf(test_.database, () => clock)()).notices).toEqual([claimed?.id]);
  });

  test('that can’t be composed is put off, and holds up no other', async () => {
    const sink = await sinkWith();
    const ids = [await planTest('a@broken.test'), await planTest('b@whole.test')];
    const faults: unknown[] = [];
    const compose = async ({ id, email }: ClaimedNotice) => {
      if (id === ids[0]) throw new RangeError('no link');
      return { ...message(id), envelope: { from: 'bounces@paperboy.test', to: email } };
    };
    expect(await deliver(sink.url, { compose, onFault: (_, id) => faults.push(id) })(ids)).toBe(1);
    expect(faults).toEqual([ids[0]]);
    expect(await states()).toMatchObject([{ state: 'deferred' }, { state: 'sent' }]);
  });

  test('keeps a journal of what is on the wire, and sends nothing that it can’t note', async () => {
    const sink = await sinkWith();
    const directory = mkdtempSync(join(tmpdir(), 'paperboy-notices-'));
    const { openNotices } = openJournals({ directory });
    const openJournal: typeof openNotices = (claims) => ({
      ...openNotices(claims),
      begin: () => {
        throw new Error('ENOSPC');
      },
    });
    expect(await deliver(sink.url, { openJournal })([await planTest('a@full.test')])).toBe(0);
    expect(sink.messages).toEqual([]);
    expect(await states()).toMatchObject([{ state: 'deferred' }]);
    let seen = '';
    sink.script = (stage) => {
      if (stage === 'content')
        for (const name of readdirSync(directory)) seen += readFileSync(join(directory, name), 'utf8');
      return undefined;
    };
    const id = await planTest('b@full.test');
    expect(await deliver(sink.url, { openJournal: openNotices })([id])).toBe(1);
    expect(seen).toContain(`\nB ${id}\n`);
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  });

  test('whose database is away when it has been taken is recorded later, and not sent again', async () => {
    const sink = await sinkWith();
    let faults = 2;
    const record = (result: NoticeResult) =>
      faults-- > 0 ? Promise.reject(new Error('the database restarts')) : store().record(result);
    expect(await deliver(sink.url, { store: { ...store(), record } })([await planTest('a@away.test')])).toBe(
      1,
    );
    expect(await states()).toEqual([{ state: 'sent', resent: false }]);
  });

  test('is not sent by a worker that was stopped for longer than its lease', async () => {
    const sink = await sinkWith({
      script: (stage) => (stage === 'rcpt' ? delay(400, undefined) : undefined),
    });
    const stopped = { ...store(), renew: async () => false };
    expect(await deliver(sink.url, { leaseMs: 200, store: stopped })([await planTest('a@late.test')])).toBe(
      0,
    );
    expect(sink.messages).toEqual([]);
  });
});
