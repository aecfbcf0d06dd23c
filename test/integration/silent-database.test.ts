import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PREPARED } from '#src/database/columns.ts';
import { type Database, openDatabase, withoutTimeLimit } from '#src/database/database.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addReaders, EDITION, NOON, plannedFor, statesOf } from '../support/ledger-fixture.ts';
import { type SilentProxy, startSilentProxy } from '../support/silent-proxy.ts';
import { waitFor } from '../support/wait.ts';

let proxy: SilentProxy;
let test_: TestDatabase;
let open: () => Database;
let database: Database;

beforeAll(async () => {
  test_ = await createTestDatabase();
  proxy = await startSilentProxy(test_.url);
  open = () => openDatabase(proxy.url, { max: 1, limits: { often: 700, other: 1_000, idle: 300 } });
  database = open();
});
afterAll(async () => {
  await database.destroy();
  await proxy.close();
  await test_.destroy();
});

afterEach(() => {
  proxy.silent = undefined;
});

test('a statement that is never answered is given up, with its connection; the next one gets another', async () => {
  for (const query of [sql`${PREPARED}select 1 as n`, sql`select 1 as n`]) {
    await query.execute(database);
    proxy.silent = 'client';
    await expect(query.execute(database)).rejects.toThrow(/has not answered for (0\.7|1) s/);
    proxy.silent = undefined;
    expect((await query.execute(database)).rows).toEqual([{ n: 1 }]);
  }
});

test('a connection to a server that takes nothing any more is left for another one', async () => {
  await sql`set session characteristics as transaction read only`.execute(database);
  const write = () => sql`create table written (n int)`.execute(database);
  await expect(write()).rejects.toMatchObject({ code: '25006' });
  // One may meet the connection while it is being closed.
  const written = () =>
    write().then(
      () => true,
      () => false,
    );
  await waitFor('another connection', written, 3_000);
  await sql`drop table written`.execute(database);
});

test('a connection that is never answered is given up', async () => {
  const fresh = open();
  proxy.silent = 'server';
  await expect(sql`select 1`.execute(fresh)).rejects.toThrow(/timeout/);
  await fresh.destroy();
});

test('who is stopped in a transaction does not keep what it has locked, and goes on with another connection', async () => {
  await addReaders(test_.database, 1, 'stopped');
  const stopped = database.transaction().execute(async (tx) => {
    await sql`select id from subscribers for update`.execute(tx);
    proxy.silent = 'server';
    const { rows } = await sql`select id from subscribers for update`.execute(test_.database);
    expect(rows).toHaveLength(1);
    await sql`select 1`.execute(tx);
  });
  await expect(stopped).rejects.toThrow();
  proxy.silent = undefined;
  expect((await sql`select 1 as n`.execute(database)).rows).toEqual([{ n: 1 }]);
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
  proxy.silent = 'server';
  await expect(ledger.record([result])).rejects.toThrow();
  proxy.silent = undefined;
  expect(await statesOf(test_.database)).toEqual({ sent: 1 });
  await ledger.record([result]);
  expect(await statesOf(test_.database)).toEqual({ sent: 1 });
});
