import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '#src/config.ts';
import type { Database } from '#src/database/database.ts';
import { openJournals } from '#src/digests/journal.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { journalDirectory } from '#src/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addReaders, EDITION, NOON, plannedFor, settlerOf } from '../support/ledger-fixture.ts';

let real: TestDatabase;
let trial: TestDatabase;
const dataDir = mkdtempSync(join(tmpdir(), 'paperboy-two-'));
beforeAll(async () => {
  [real, trial] = await Promise.all([createTestDatabase(), createTestDatabase()]);
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true });
  await Promise.all([real.destroy(), trial.destroy()]);
});

const now = () => NOON;

/** A worker of a ledger that has handed its first row over. */
async function deliver(database: Database) {
  const ledger = createLedger({ database, now });
  const [reader] = await addReaders(database, 1);
  if (reader) await ledger.insert(database, [plannedFor(reader)]);
  const [row] = await ledger.claim(
    { editionDate: EDITION, from: 0, to: 10_000 },
    { limit: 1, leaseMs: 60_000 },
  );
  if (!row) throw new Error('nothing to deliver');
  await ledger.handOver([row], 60_000);
  const directory = await journalDirectory({ dataDir } as Config, database);
  const journals = openJournals({ directory });
  const settle = settlerOf(database, now, journals);
  return { row, journals, settle, directory };
}

/** Pretends that the process that wrote the journals has been killed. */
function killWriter(directory: string) {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name);
    const [head = '', ...rest] = readFileSync(file, 'utf8').split('\n');
    const header = JSON.stringify({ ...JSON.parse(head), pid: 2 ** 22 - 1, started: '1' });
    writeFileSync(file, [header, ...rest].join('\n'));
  }
}

test('two services that share a data folder leave each other’s journals alone, though their tokens are the same', async () => {
  const one = await deliver(real.database);
  const other = await deliver(trial.database);
  expect([one.row.id, one.row.leaseToken]).toEqual([other.row.id, other.row.leaseToken]);
  const journal = one.journals.open([one.row]);
  journal.begin(one.row.id);
  journal.end({ ...one.row, state: 'sent', reply: '250 ok' });
  journal.abandon();
  killWriter(one.directory);

  expect(await other.settle()).toMatchObject({ claims: 0 });
  expect(await stateOf(trial.database)).toEqual([{ state: 'handed_over' }]);
  expect(await one.settle()).toMatchObject({ claims: 1, recorded: 1 });
  expect(await stateOf(real.database)).toEqual([{ state: 'sent' }]);
});

const stateOf = async (database: Database) =>
  (await sql<{ state: string }>`select state from digest_states`.execute(database)).rows;

test('the folder stays the same for a ledger, whoever asks', async () => {
  const folders = await Promise.all([1, 2].map(() => journalDirectory({ dataDir } as Config, real.database)));
  expect(folders[0]).toBe(folders[1]);
});
