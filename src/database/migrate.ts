import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { type Database, withoutTimeLimit } from './database.ts';

const folder = join(import.meta.dirname, '../../migrations');

/** Reads `migrations/*.ts` in the order of their names. */
async function readMigrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort();
  const entries = files.map(async (name) => {
    const migration: Migration = await import(join(folder, name));
    return [name.slice(0, -'.ts'.length), migration] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const migrator = (db: Database) => new Migrator({ db, provider: { getMigrations: readMigrations } });

/**
 * Brings the schema to the newest migration. Safe from several processes at once: Kysely holds an advisory lock,
 * whoever comes second finds nothing left to do. All migrations of a run are one transaction.
 * @returns the names of the migrations applied now, oldest first
 * @throws the database's error when one fails; the schema is then as it was
 */
export async function migrateDatabase(db: Database): Promise<string[]> {
  const { error, results } = await withoutTimeLimit(() => migrator(db).migrateToLatest());
  if (error) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

/** Names of migrations not applied yet, oldest first. */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const all = await migrator(db).getMigrations();
  return all.filter((migration) => !migration.executedAt).map((migration) => migration.name);
}

/** Names of migrations that were applied and are not known here: a newer version of Paperboy has migrated the database. */
export async function unknownMigrations(db: Database): Promise<string[]> {
  const { rows: tables } = await sql<{ there: boolean }>`
    select to_regclass('kysely_migration') is not null as there`.execute(db);
  if (!tables[0]?.there) return [];
  const known = await readMigrations();
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name).filter((name) => !Object.hasOwn(known, name));
}
