import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '#src/database/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.destroy());

test.each([
  ['off', 'serializable', 'on'],
  ['remote_apply', 'repeatable read', 'remote_apply'],
])(
  'a database whose default is synchronous_commit = %s and %s commits at least here, and reads what is committed',
  async (commit, isolation, expected) => {
    const name = sql.table(new URL(test_.url).pathname.slice(1));
    await sql`alter database ${name} set synchronous_commit = ${sql.lit(commit)}`.execute(test_.database);
    await sql`alter database ${name} set default_transaction_isolation = ${sql.lit(isolation)}`.execute(
      test_.database,
    );
    const fresh = openDatabase(test_.url, { max: 1 });
    const { rows } = await sql`
    select current_setting('synchronous_commit') as commit, current_setting('transaction_isolation') as isolation`.execute(
      fresh,
    );
    await fresh.destroy();
    expect(rows).toEqual([{ commit: expected, isolation: 'read committed' }]);
  },
);
