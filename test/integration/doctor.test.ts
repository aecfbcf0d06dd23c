import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '#src/command-line/doctor/check.ts';
import { examine } from '#src/command-line/doctor/examine.ts';
import { readConfig } from '#src/config.ts';
import { addDays, utcDate } from '#src/database/ids.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { ensurePartitions } from '#src/digests/partition-store.ts';
import { freePort } from '#src/embedded/ports.ts';
import { createHaltStore } from '#src/mail/halt-store.ts';
import { openQueue } from '#src/queue/queue.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { addReaders, plannedFor } from '#test/support/ledger-fixture.ts';
import { hasRedis, redisSkipNote, startRedis } from '#test/support/redis.ts';
import { type SmtpSink, startSmtpSink } from '#test/support/smtp-sink.ts';

let folder: string;
let db: TestDatabase;
let sink: SmtpSink;
let closedPort: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paperboy-doctor-'));
  [db, sink, closedPort] = await Promise.all([createTestDatabase(), startSmtpSink(), freePort()]);
  const today = utcDate(new Date());
  await ensurePartitions(db.database, today, today);
});
afterAll(async () => {
  await sink.close();
  // Fails when an examination left a connection behind.
  await db.destroy();
  await rm(folder, { recursive: true });
});

async function findings(environment: Record<string, string> = {}): Promise<Record<string, Finding>> {
  const config = readConfig({
    DATABASE_URL: db.url,
    SMTP_URL: sink.url,
    BASE_URL: `http://127.0.0.1:${closedPort}`,
    SOURCES: 'sample',
    SECRET: 'a secret for tests, of thirty-two characters',
    DATA_DIR: join(folder, 'data'),
    ...environment,
  });
  const found = await examine(config, false);
  return Object.fromEntries(found.map((finding) => [finding.check, finding]));
}

const failures = (found: Record<string, Finding>) =>
  Object.values(found)
    .filter(({ state }) => state === 'failed')
    .map(({ check }) => check);

describe('paperboy doctor', () => {
  test('a queue that was never opened is told, and not made', async () => {
    const found = await findings();
    expect(found.queue).toMatchObject({ state: 'warning', fix: expect.stringContaining('paperboy migrate') });
    expect(failures(found)).toEqual([]);
    const { rows } = await sql`select from pg_namespace where nspname = 'bullmq'`.execute(db.database);
    expect(rows).toEqual([]);
  });

  test('healthy: nothing failed, on a database that takes no writes, and no mail began', async () => {
    await (await openQueue({ kind: 'postgres', url: db.url })).close();
    const name = sql.ref(new URL(db.url).pathname.slice(1));
    await sql`alter database ${name} set default_transaction_read_only = on`.execute(db.database);
    try {
      const found = await findings();
      expect(failures(found)).toEqual([]);
      for (const check of [
        'node',
        'data folder',
        'secret',
        'database',
        'clocks',
        'connections',
        'schema',
        'partitions',
        'queue',
        'delivery',
        'planning',
        'digests',
        'in doubt',
        'notices',
        `relay 127.0.0.1:${sink.port}`,
      ])
        expect(found[check], check).toMatchObject({ state: 'ok' });
      expect(found.workers).toMatchObject({ state: 'warning' });
      expect(found['source sample']).toMatchObject({ state: 'warning', seen: 'never read' });
      expect(found.pages).toMatchObject({ state: 'warning', seen: expect.stringContaining('ECONNREFUSED') });
    } finally {
      await sql`alter database ${name} reset default_transaction_read_only`.execute(db.database);
    }
    expect(new Set(sink.commands.map((line) => line.split(' ')[0]))).toEqual(new Set(['EHLO', 'QUIT']));
    expect(await readdir(folder)).toEqual([]);
  });

  test('what waits, is overdue, in doubt or halted', async () => {
    const { database } = db;
    const now = new Date();
    const [first, second, third] = await addReaders(database, 3);
    if (!first || !second || !third) throw new Error('no readers');
    await sql`insert into schedules values (${first}, ${new Date(now.getTime() - 3_600_000)})`.execute(
      database,
    );
    const edition = addDays(utcDate(now), -1);
    const slotAt = new Date(now.getTime() - 5 * 3_600_000);
    const deadline = new Date(now.getTime() + 3_600_000);
    await createLedger({ database, now: () => now }).insert(
      database,
      [first, second, third].map((id) => plannedFor(id, { editionDate: edition, slotAt, deadline })),
    );
    await sql`update digests set state = 'deferred', reply = '451 later' where subscriber_id = ${second}`.execute(
      database,
    );
    await sql`update digests set state = 'unknown', in_doubt = true, finished_at = now() where subscriber_id = ${third}`.execute(
      database,
    );
    await createHaltStore({ database }).raise('550 who are you');
    await sql`insert into notices (kind, email, due_at, deadline) values ('test', 'a@example.org', ${slotAt}, ${deadline})`.execute(
      database,
    );

    const found = await findings();
    expect(failures(found)).toEqual(['delivery', 'planning', 'notices']);
    expect(found.delivery?.seen).toContain('550 who are you');
    expect(found.planning?.seen).toBe('1 reader overdue, the first for 60 min');
    expect(found.digests).toMatchObject({
      state: 'warning',
      seen: '2 digests due, the first for 5 h; 1 digest deferred (last: 451 later)',
    });
    expect(found['in doubt']).toMatchObject({ state: 'warning', seen: expect.stringContaining(edition) });
  });

  test('a schema that is behind: `paperboy migrate`, and its tables are not asked', async () => {
    const empty = await createEmptyDatabase();
    try {
      const found = await findings({ DATABASE_URL: empty.url });
      expect(found.database?.state).toBe('ok');
      expect(found.schema).toMatchObject({
        state: 'failed',
        fix: expect.stringContaining('paperboy migrate'),
      });
      expect(found.delivery).toMatchObject({ state: 'skipped', seen: 'the database is not migrated' });
      const { rows } = await sql`select from pg_class where relnamespace = 'public'::regnamespace`.execute(
        empty.database,
      );
      expect(rows).toEqual([]);
    } finally {
      await empty.destroy();
    }
  });

  test('a schema that a newer version has migrated', async () => {
    const newer = await createTestDatabase();
    try {
      await sql`insert into kysely_migration values ('2099-01-01-of-the-future', '2099-01-01')`.execute(
        newer.database,
      );
      expect((await findings({ DATABASE_URL: newer.url })).schema).toMatchObject({
        state: 'failed',
        seen: expect.stringContaining('2099-01-01-of-the-future'),
      });
    } finally {
      await newer.destroy();
    }
  });

  test('a relay that refuses our login, one that takes it, and one with a certificate nobody signed', async () => {
    const relay = new SMTPServer({
      disableReverseLookup: true,
      onAuth: ({ username }, _session, done) =>
        username === 'grace' ? done(null, { user: username }) : done(new Error('who are you')),
    });
    relay.listen(0, '127.0.0.1');
    await once(relay.server, 'listening');
    const { port } = relay.server.address() as AddressInfo;
    try {
      const found = await findings({
        SMTP_URL: `smtp://ada:hush-hush@127.0.0.1:${port}?verify=no, ${sink.url}`,
      });
      expect(found[`relay 127.0.0.1:${port}`]).toMatchObject({
        state: 'failed',
        seen: expect.stringMatching(/535/),
        fix: expect.stringMatching(/user and password/),
      });
      expect(found[`relay 127.0.0.1:${sink.port}`]?.state).toBe('ok');
      expect(JSON.stringify(found)).not.toContain('hush-hush');
      const other = await findings({ SMTP_URL: `smtp://grace:pw@127.0.0.1:${port}?tls=required&verify=no` });
      expect(other[`relay 127.0.0.1:${port}`]?.seen).toMatch(
        /TLSv1\.3, certificate until \d{4}-\d\d-\d\d, logged in as grace/,
      );
      const strict = await findings({ SMTP_URL: `smtp://grace:pw@127.0.0.1:${port}?tls=required` });
      expect(strict[`relay 127.0.0.1:${port}`]).toMatchObject({
        state: 'failed',
        fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      });
    } finally {
      relay.close();
    }
  });

  test('a database that hangs up, and a queue that refuses: both told, the rest looked at', async () => {
    const proxy = createServer((socket) => socket.once('data', () => socket.destroy()));
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    try {
      const found = await findings({
        DATABASE_URL: `postgres://ada:hush-hush@127.0.0.1:${port}/papers`,
        REDIS_URL: 'redis://127.0.0.1:1',
      });
      expect(failures(found)).toEqual(['database', 'queue']);
      expect(found.database?.fix).toContain('DATABASE_URL');
      expect(found.queue?.seen).toContain('ECONNREFUSED');
      expect(found.papers).toMatchObject({ state: 'skipped' });
      expect(found[`relay 127.0.0.1:${sink.port}`]?.state).toBe('ok');
      expect(JSON.stringify(found)).not.toContain('hush-hush');
    } finally {
      proxy.close();
    }
  });

  test('nothing set and nothing there: nothing is made', async () => {
    const data = join(folder, 'none');
    const found = await examine(readConfig({ DATA_DIR: data, PORT: '9' }), true);
    expect(found.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(found.find(({ check }) => check === 'database')?.seen).toContain('not made yet');
    expect(await readdir(folder)).toEqual([]);
  });

  test('a data folder that is none: told, and nothing else is hidden by it', async () => {
    const found = await examine(readConfig({ DATA_DIR: 'package.json', PORT: String(closedPort) }), true);
    expect(found.filter(({ state }) => state === 'failed').map(({ check }) => check)).toEqual([
      'data folder',
      'secret',
      'database',
    ]);
    expect(found.find(({ check }) => check === 'data folder')?.seen).toContain('it is no folder');
  });

  test.skipIf(!hasRedis)(`a Redis without workers stays empty${redisSkipNote}`, async () => {
    const redis = await startRedis();
    try {
      const found = await findings({ REDIS_URL: redis.url });
      expect(found.queue).toMatchObject({ state: 'ok', seen: expect.stringContaining('noeviction') });
      expect(found.workers?.state).toBe('warning');
      const client = new Redis(redis.url);
      expect(await client.dbsize()).toBe(0);
      client.disconnect();
    } finally {
      await redis.destroy();
    }
  });
});
