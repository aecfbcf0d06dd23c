// Writes src/database/tables.ts from a freshly migrated schema, or with --check fails when it differs.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openDatabase } from '../src/database/database.ts';
import { migrateDatabase } from '../src/database/migrate.ts';
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts';

const target = join(import.meta.dirname, '../src/database/tables.ts');
const check = process.argv.includes('--check');
const folder = await mkdtemp(join(tmpdir(), 'paperboy-types-'));
const server = await startEmbeddedPostgres(folder, { settings: { fsync: 'off' } });
try {
  const database = openDatabase(server.url);
  await migrateDatabase(database);
  await database.destroy();
  const written = check ? join(folder, 'tables.ts') : target;
  const codegen = join(import.meta.dirname, '../node_modules/kysely-codegen/dist/cli/bin.js');
  // Numeric parsers as in database.ts: bigint is number, date is text.
  const flags = ['--dialect=postgres', `--url=${server.url}`, `--out-file=${written}`, '--log-level=warn'];
  const options = ['--numeric-parser=number', '--date-parser=string', '--exclude-pattern=*kysely_*'];
  const overrides = `--type-mapping=${JSON.stringify({ int8: 'number', interval: 'string' })}`;
  await promisify(execFile)(process.execPath, [codegen, ...flags, ...options, overrides]);
  if (check && (await readFile(written, 'utf8')) !== (await readFile(target, 'utf8'))) {
    console.error('src/database/tables.ts does not match the migrated schema: run `npm run database:types`.');
    process.exitCode = 1;
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
