import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '#src/database/database.ts';

/** A database of a test file's own. */
export type TestDatabase = {
  readonly database: Database;
  readonly url: string;
  /** Closes the pool and drops the database; call it in `afterAll`. Fails when something else still holds a connection. */
  destroy(): Promise<void>;
};

/** Clones the migrated template: a real, empty PostgreSQL database in some 30 ms. */
export const createTestDatabase = (): Promise<TestDatabase> =>
  create(`template ${new URL(inject('templateUrl')).pathname.slice(1)}`);

/** A database without any table, for tests of the migrations. */
export const createEmptyDatabase = (): Promise<TestDatabase> => create('');

async function create(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((admin) => admin.query(`create database ${name} ${template}`));
  const url = new URL(inject('templateUrl'));
  url.pathname = `/${name}`;
  const database = openDatabase(url.href, { max: 5 });
  return {
    database,
    url: url.href,
    destroy: async () => {
      await database.destroy();
      await asAdmin((admin) => admin.query(`drop database ${name}`));
    },
  };
}

async function asAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const url = new URL(inject('templateUrl'));
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    // Cloning needs the template to itself for a moment: one file at a time.
    await admin.query('select pg_advisory_lock(7)');
    await work(admin);
  } finally {
    await admin.end();
  }
}
