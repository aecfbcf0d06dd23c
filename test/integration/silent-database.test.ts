import { connect, createServer, type Server, type Socket } from 'node:net';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PREPARED } from '#src/database/columns.ts';
import { type Database, openDatabase, withoutTimeLimit } from '#src/database/database.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addReaders, EDITION, NOON, plannedFor, statesOf } from '../support/ledger-fixture.ts';

/** A proxy that, told so, swallows what one side says and keeps the connections open. */
let silent: 'server' | 'client' | undefined;
let proxy: Server;
let test_: TestDatabase;
let open: () => Database;
let database: Database;
const sockets = new Set<Socket>();

beforeAll(async () => {
  test_ = await createTestDatabase();
  const url = new URL(test_.url);
  const { port, hostname } = url;
  proxy = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.on('data', (octets) => silent !== 'client' && far.write(octets)).on('close', () => far.destroy());
    far.on('data', (octets) => silent !== 'server' && near.write(octets)).on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  url.host = `127.0.0.1:${(proxy.address() as { port: number }).port}`;
  open = () => openDatabase(url.href, { max: 1, limits: { often: 700, other: 1_000 } });
  database = open();
});
afterAll(async () => {
  await database.destroy();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  await test_.destroy();
});

afterEach(() => {
  silent = undefined;
});

test('a statement that is never answered is given up, with its connection; the next one gets another', async () => {
  for (const query of [sql`${PREPARED}select 1 as n`, sql`select 1 as n`]) {
    await query.execute(database);
    silent = 'client';
    await expect(query.execute(database)).rejects.toThrow(/has not answered for (0\.7|1) s/);
    silent = undefined;
    expect((await query.execute(database)).rows).toEqual([{ n: 1 }]);
  }
});

test('a connection that is never answered is given up', async () => {
  const fresh = open();
  silent = 'server';
  await expect(sql`select 1`.execute(fresh)).rejects.toThrow(/timeout/);
  await fresh.destroy();
});

test('a migration takes as long as it takes', async () => {
  await expect(sql`select pg_sleep(1.3)`.execute(database)).rejects.toThrow();
  await withoutTimeLimit(() => sql`select pg_sleep(1.3)`.execute(database));
});

test('a result whose answer is swallowed may be written or not: recorded again it is what it was', async () => {
  const [reader] = await addReaders(test_.database, 1);
  const ledger = createLedger({ database, now: () => NOON });
  await ledger.insert(database, [plannedFor(reader as never)]);
  const [row] = await ledger.claim(
    { editionDate: EDITION, from: 0, to: 2 ** 52 },
    { limit: 1, leaseMs: 60_000 },
  );
  if (!row) throw new Error('nothing claimed');
  await ledger.handOver([row], 60_000);
  const result = { ...row, state: 'sent' as const, reply: '250 ok' };
  silent = 'server';
  await expect(ledger.record([result])).rejects.toThrow();
  silent = undefined;
  expect(await statesOf(test_.database)).toEqual({ sent: 1 });
  await ledger.record([result]);
  expect(await statesOf(test_.database)).toEqual({ sent: 1 });
});
