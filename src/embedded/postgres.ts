import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort, isFree } from './ports.ts';
import { findBinaries, initCluster, isPostgres, runningServer, spawnServer } from './server-process.ts';

/** A PostgreSQL server of our own, for a machine with nothing installed. */
export type EmbeddedPostgres = {
  /** Connection URL of the database, with the generated password. */
  readonly url: string;
  readonly port: number;
  /**
   * `started` by us · `adopted`: left running by a process that was killed, and taken over ·
   * `shared`: another process owns it, we only use it.
   */
  readonly origin: 'started' | 'adopted' | 'shared';
  /** Stops the server ("fast": open transactions are rolled back) and waits until it is gone; a shared one goes on. */
  stop(): Promise<void>;
};

/** Key of the session advisory lock that says which process owns the server. */
const OWNER_LOCK = 0x70617065;
const DATABASE = 'paperboy';
const START_TIMEOUT_MS = 60_000;

type Remembered = { readonly port: number; readonly password: string };

/**
 * Starts (or takes over) the embedded server in `folder`, making the cluster on first use. Port and password are
 * remembered in the folder; another free port is taken when something else has the port now.
 * @param options.settings extra server settings, such as `{ fsync: 'off' }` for tests
 * @param options.share use the server of a running Paperboy beside it (for commands) instead of refusing
 * @throws Error with the fix when another Paperboy owns the folder, or the server doesn't start
 */
export async function startEmbeddedPostgres(
  folder: string,
  options: { settings?: Readonly<Record<string, string>>; share?: boolean } = {},
): Promise<EmbeddedPostgres> {
  const root = resolve(folder);
  const cluster = join(root, 'cluster');
  await mkdir(root, { recursive: true });
  const remembered = await ensureCluster(root, cluster);
  const running = await runningServer(cluster);
  const port = running?.port ?? (await launch(root, cluster, remembered, options.settings ?? {}));
  const url = connectionUrl(port, remembered.password, DATABASE);
  const owner = await own(connectionUrl(port, remembered.password, 'postgres'));
  if (owner.type === 'taken') {
    if (!options.share) throw new Error(takenMessage(owner.process, root));
    return { url, port, origin: 'shared', stop: async () => undefined };
  }
  await ensureDatabase(owner.client);
  return {
    url,
    port,
    origin: running ? 'adopted' : 'started',
    stop: async () => {
      await owner.client.end().catch(() => undefined);
      await stopServer(cluster);
    },
  };
}

const takenMessage = (process: string, root: string) =>
  `Another Paperboy${process ? ` (process ${process})` : ''} is using the data folder ${root}: stop it first, or set DATA_DIR to another folder.`;

const connectionUrl = (port: number, password: string, database: string) =>
  `postgres://paperboy:${password}@127.0.0.1:${port}/${database}`;

/** Makes the cluster unless a complete one is there, and reads what is remembered of it. */
async function ensureCluster(root: string, cluster: string): Promise<Remembered> {
  const file = join(root, 'server.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // One that is there and can't be read must not be taken for one that was never written.
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (text !== null) return parseRemembered(text, file);
  // A server has run in it since: these are somebody's data.
  if (await stat(join(cluster, 'postmaster.opts')).catch(() => null))
    throw new Error(
      `${file} is gone, and with it the password of the embedded database beside it: put it back from a backup, or move ${root} away to begin anew.`,
    );
  // server.json is written last: without it the cluster is one whose making was interrupted.
  if (await stat(join(cluster, 'PG_VERSION')).catch(() => null)) await rm(cluster, { recursive: true });
  await mkdir(cluster, { recursive: true, mode: 0o700 });
  const remembered = { port: await freePort(), password: randomBytes(24).toString('base64url') };
  await initCluster(await findBinaries(), cluster, remembered.password);
  await remember(root, remembered);
  return remembered;
}

function parseRemembered(text: string, file: string): Remembered {
  try {
    const { port, password } = JSON.parse(text);
    if (Number.isInteger(port) && typeof password === 'string') return { port, password };
  } catch {}
  throw new Error(`${file} is damaged: it should hold {"port", "password"} of the embedded database.`);
}

async function remember(root: string, remembered: Remembered): Promise<void> {
  const file = join(root, 'server.json');
  await writeFile(`${file}.new`, `${JSON.stringify(remembered)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Starts the server and waits until it answers; returns its port. */
async function launch(
  root: string,
  cluster: string,
  remembered: Remembered,
  settings: Readonly<Record<string, string>>,
): Promise<number> {
  const port = (await isFree(remembered.port)) ? remembered.port : await freePort();
  if (port !== remembered.port) await remember(root, { ...remembered, port });
  const logFile = join(root, 'server.log');
  const server = await spawnServer(await findBinaries(), cluster, { port, logFile, settings });
  let ended: string | undefined;
  void server.exited.then((how) => {
    ended = how;
  });
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUpAt && ended === undefined) {
    if (await answers(connectionUrl(port, remembered.password, 'postgres'))) return port;
    await delay(20);
  }
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const tail = log.trimEnd().split('\n').slice(-8).join('\n  ');
  throw new Error(
    `The embedded PostgreSQL did not start (${ended ?? 'no answer'}). Its log, ${logFile}, ends:\n  ${tail}`,
  );
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Takes the session lock that marks the owner: it goes with our process, however that ends. */
async function own(
  url: string,
): Promise<{ type: 'owned'; client: pg.Client } | { type: 'taken'; process: string }> {
  const client = new pg.Client({ connectionString: url, application_name: `paperboy owner ${process.pid}` });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query('select pg_try_advisory_lock($1) as mine', [OWNER_LOCK]);
  if (rows[0]?.mine) return { type: 'owned', client };
  const holder = await client.query(
    `select application_name as name from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and objid = $1 and granted`,
    [OWNER_LOCK],
  );
  await client.end();
  return { type: 'taken', process: String(holder.rows[0]?.name ?? '').replace(/\D/g, '') };
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (!rowCount) await client.query(`create database ${DATABASE}`);
}

async function stopServer(cluster: string): Promise<void> {
  const running = await runningServer(cluster);
  if (!running) return;
  process.kill(running.pid, 'SIGINT');
  const giveUpAt = performance.now() + 30_000;
  while (await isPostgres(running.pid)) {
    if (performance.now() > giveUpAt) return void process.kill(running.pid, 'SIGQUIT');
    await delay(20);
  }
}
