import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the migrated template database that `createTestDatabase` clones. */
    templateUrl: string;
  }
}

/** Starts one real PostgreSQL for the whole run and migrates the template database of the test files. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-test-'));
  // A test cluster need not survive a power cut.
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '300',
  };
  const server = await startEmbeddedPostgres(folder, { settings });
  const template = openDatabase(server.url, { max: 1 });
  await migrateDatabase(template);
  await template.destroy();
  project.provide('templateUrl', server.url);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
