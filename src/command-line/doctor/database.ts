import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '#src/config.ts';
import { type Database, openDatabase } from '#src/database/database.ts';
import { type IsoDate, utcDate } from '#src/database/ids.ts';
import { pendingMigrations, unknownMigrations } from '#src/database/migrate.ts';
import { readServerFacts, type ServerFacts } from '#src/database/server-store.ts';
import { missingPartitions } from '#src/digests/partition-store.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { MOST_CONNECTIONS } from '#src/queue/backend.ts';
import { type Check, count, duration, type Finding, failed, ok, warning } from './check.ts';

/** How long an answer of the database is waited for, in milliseconds: less than a check may take, so that its own words are told. */
const ANSWER_MS = 8_000;

/** A database to look at. `absent`: an embedded one that was never made. */
export type OpenedDatabase =
  | {
      readonly type: 'open';
      readonly url: string;
      readonly database: Database;
      /** An embedded server that did not run, and runs for these checks alone. */
      readonly started: boolean;
      close(): Promise<void>;
    }
  | { readonly type: 'absent' };

/** Opens the database without making, migrating or keeping anything. @throws Error when an embedded one doesn't start */
export async function openToLook(config: Config): Promise<OpenedDatabase> {
  if (config.database.kind === 'external') {
    const { url } = config.database;
    const database = open(url);
    return { type: 'open', url, database, started: false, close: () => database.destroy() };
  }
  const { folder } = config.database;
  const isMade = await access(join(folder, 'server.json'), constants.R_OK).then(() => true, notMade);
  if (!isMade) return { type: 'absent' };
  const server = await startEmbeddedPostgres(folder, { share: true });
  const database = open(server.url);
  const close = () => database.destroy().then(() => server.stop());
  return { type: 'open', url: server.url, database, started: server.origin !== 'shared', close };
}

/** What is not there is not made; what may not be looked at is a fault. */
function notMade(error: unknown): false {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
  throw error;
}

const open = (url: string): Database =>
  openDatabase(url, {
    max: 3,
    name: 'paperboy-doctor',
    limits: { often: ANSWER_MS, other: ANSWER_MS, idle: ANSWER_MS },
  });

/** What is to be done about a database that can't be looked at. */
export const databaseFix = ({ database, dataDir }: Config): string =>
  database.kind === 'external'
    ? 'DATABASE_URL: is it running, and are host, port, user, password and database right?'
    : `DATA_DIR: may this user read and write it? The server's log is ${join(dataDir, 'postgres', 'server.log')}`;

/** Version, latency, clock and connections of the server. */
export const checkServer = (
  config: Config,
  opened: OpenedDatabase & { type: 'open' },
  now: () => Date,
): Check => ({
  name: 'database',
  fix: databaseFix(config),
  run: async () => {
    const facts = await readServerFacts(opened.database, now);
    const kind = config.database.kind === 'embedded' ? 'embedded ' : '';
    const started = opened.started ? '; started to look at it' : '';
    return [
      judgeVersion(facts, kind, started),
      judgeLatency(facts.latencyMs),
      judgeClock(facts.clockAheadMs),
      judgeConnections(facts.connections, connectionsOf(config)),
      judgeRights(facts.mayCreate),
    ].filter((finding) => finding !== null);
  },
});

/** PostgreSQL 15 is the oldest that will do. */
export function judgeVersion(
  { version, major, latencyMs }: ServerFacts,
  kind: string,
  more: string,
): Finding {
  const seen = `${kind}PostgreSQL ${version}, answers in ${latencyMs.toFixed(1)} ms${more}`;
  return major >= 15
    ? ok('database', seen)
    : failed('database', seen, 'DATABASE_URL: PostgreSQL 15 or newer is needed');
}

/** A statement goes there and back for every hundred digests, some for each reader's click: null where that is quick. */
export function judgeLatency(latencyMs: number): Finding | null {
  if (latencyMs < 50) return null;
  return warning(
    'database latency',
    `a trivial question takes ${Math.round(latencyMs)} ms`,
    'DATABASE_URL: a server in the same network; or is it overloaded?',
  );
}

/** Milliseconds by which clocks may differ. */
const CLOCK = { warning: 5_000, failed: 300_000 };

/** Leases follow the database's clock, hours of readers ours. */
export function judgeClock(aheadMs: number): Finding {
  const apart = Math.abs(aheadMs);
  const seen = `the database's is ${duration(apart)} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`;
  const fix = 'keep both machines on the time of the network (chrony, systemd-timesyncd)';
  if (apart >= CLOCK.failed) return failed('clocks', seen, fix);
  if (apart >= CLOCK.warning) return warning('clocks', seen, fix);
  return ok('clocks', `within ${apart < 1_000 ? '1 s' : duration(apart)} of the database's`);
}

/** Connections at most of one process that does everything. */
export const connectionsOf = ({ databasePool, queue }: Pick<Config, 'databasePool' | 'queue'>): number =>
  databasePool + (queue.kind === 'postgres' ? MOST_CONNECTIONS : 0);

/** Whether what one process may need is free; what our processes hold already counts as free. */
export function judgeConnections({ limit, used, own }: ServerFacts['connections'], needed: number): Finding {
  const free = limit - used + Math.min(own, needed);
  const seen = `${limit - used} of ${limit} connections free, ${own} taken by Paperboy; one process takes ${needed} at most`;
  const fix = "DATABASE_POOL: a smaller one, or raise the server's max_connections";
  if (limit - used <= 0) return failed('connections', seen, fix);
  return free < needed ? warning('connections', seen, fix) : ok('connections', seen);
}

/** Null where all is well. */
export function judgeRights(mayCreate: boolean): Finding | null {
  if (mayCreate) return null;
  return warning(
    'rights',
    'its role may not make tables and schemas',
    'DATABASE_URL: grant create on the database and its schema public to the role: `paperboy migrate`, the queue and the monthly upkeep make some',
  );
}

/** Migrations, and the partitions of today's edition. */
export const checkSchema = (config: Config, database: Database, now: () => Date): Check => ({
  name: 'schema',
  fix: 'run `paperboy migrate`',
  run: async () => {
    const pending = await pendingMigrations(database);
    const unknown = await unknownMigrations(database);
    const schema = judgeSchema({ pending, unknown }, config.database.kind);
    if (schema.state !== 'ok') return [schema];
    const today = utcDate(now());
    return [schema, judgePartitions(today, await missingPartitions(database, today))];
  },
});

/** An embedded database is migrated by whoever starts it. */
export function judgeSchema(
  { pending, unknown }: { readonly pending: readonly string[]; readonly unknown: readonly string[] },
  kind: Config['database']['kind'],
): Finding {
  if (unknown.length > 0)
    return failed(
      'schema',
      `holds ${count(unknown.length, 'migration')} that this version does not know: ${unknown.at(-1)}`,
      'a newer Paperboy has migrated it, and migrations only go forward: run that version',
    );
  if (pending.length === 0) return ok('schema', 'up to date');
  const names = pending.slice(0, 3).join(', ') + (pending.length > 3 ? ' …' : '');
  const seen = `lacks ${count(pending.length, 'migration')}: ${names}`;
  return kind === 'embedded'
    ? warning('schema', seen, '`paperboy start` brings it up to date, as does `paperboy migrate`')
    : failed('schema', seen, 'stop the workers and run `paperboy migrate`');
}

/** Without them digests go to the default partition, from where upkeep moves them. */
export function judgePartitions(today: IsoDate, missing: readonly string[]): Finding {
  return missing.length === 0
    ? ok('partitions', `those of ${today} are there`)
    : warning(
        'partitions',
        `${missing.join(', ')} for ${today} not made yet`,
        'upkeep makes them within an hour of a start; is a worker running?',
      );
}
