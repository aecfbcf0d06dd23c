import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Config, ConfigError } from './config.ts';
import { type Database, openDatabase } from './database/database.ts';
import { type Mailbox, startMailbox } from './embedded/mailbox.ts';
import { choosePort, isFree } from './embedded/ports.ts';
import { startEmbeddedPostgres } from './embedded/postgres.ts';
import type { Log } from './log.ts';
import { requireDatabase, requireDataFolder, requireRedis } from './reachable.ts';

/** The services behind Paperboy, embedded or external, opened. */
export type Backing = {
  readonly databaseUrl: string;
  readonly database: Database;
  /** Relays, or the local mailbox. */
  readonly smtpUrls: readonly string[];
  /** Page of the local mailbox' inbox; null with real relays. */
  readonly inboxUrl: string | null;
  readonly secret: string;
  /** Closes in the opposite order of opening. */
  close(): Promise<void>;
};

/**
 * What the process is: `start` owns the embedded services, `command` shares them with a running `start`,
 * `separate` (api, worker) must be given external ones.
 */
export type Role = 'start' | 'command' | { readonly separate: 'api' | 'worker' };

/**
 * Opens the database, the mailbox and the secret.
 * @throws ConfigError when a separate process would need an embedded service, or one that is set can't be reached;
 *   Error when an embedded one can't be started
 */
export async function openBacking(config: Config, role: Role, log: Log): Promise<Backing> {
  if (typeof role === 'object') refuseEmbedded(config, role.separate);
  if (role !== 'command') for (const warning of config.warnings) log.warn(warning);
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  if (needsFolder(config, role)) await requireDataFolder(config.dataDir);
  try {
    const [server, mailbox, secret] = await allOrNothing([
      openServer(config, role, closers),
      openMailbox(config, role, closers),
      readSecret(config),
    ] as const);
    const onError = (error: Error) => log.warn({ err: error }, 'database connection lost');
    const database = openDatabase(server, { max: config.databasePool, onError });
    closers.push(() => database.destroy());
    await requireDatabase(config, database);
    if (role !== 'command') await requireRedis(config);
    return { databaseUrl: server, database, ...mailbox, secret, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether this process keeps anything in the data folder. */
const needsFolder = (config: Config, role: Role): boolean =>
  config.secret === null ||
  config.database.kind === 'embedded' ||
  role === 'start' ||
  (typeof role === 'object' && role.separate === 'worker');

/** Like `Promise.all`, but waits for all of them before it rejects: what one has opened can then be closed. */
async function allOrNothing<T extends readonly Promise<unknown>[]>(
  tasks: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(tasks);
  return (await Promise.all(tasks)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}

function refuseEmbedded(config: Config, command: 'api' | 'worker'): void {
  const faults: string[] = [];
  if (config.database.kind === 'embedded')
    faults.push(
      `DATABASE_URL is not set: \`paperboy ${command}\` is one of several processes, which need a database they share. Set it to postgres://user:password@host:5432/database, or run \`paperboy start\` (everything in one process).`,
    );
  if (command === 'worker' && config.mail.kind === 'mailbox')
    faults.push(
      'SMTP_URL is not set: `paperboy worker` sends mail. Set it to smtp://[user:password@]host[:port], or run `paperboy start` (which has a local mailbox).',
    );
  if (faults.length > 0) throw new ConfigError(faults);
}

async function openServer(config: Config, role: Role, closers: (() => Promise<void>)[]): Promise<string> {
  if (config.database.kind === 'external') return config.database.url;
  const server = await startEmbeddedPostgres(config.database.folder, { share: role === 'command' });
  closers.unshift(() => server.stop());
  return server.url;
}

/** Where `start` writes what it listens on, so that commands beside it find the mailbox. */
const runningFile = (config: Config) => join(config.dataDir, 'mailbox.json');

async function openMailbox(
  config: Config,
  role: Role,
  closers: (() => Promise<void>)[],
): Promise<Pick<Backing, 'smtpUrls' | 'inboxUrl'>> {
  if (config.mail.kind === 'smtp') return { smtpUrls: config.mail.urls, inboxUrl: null };
  if (typeof role === 'object') return { smtpUrls: [], inboxUrl: null };
  if (role === 'command') {
    const running = await runningMailbox(config);
    if (running) return { smtpUrls: [running.smtpUrl], inboxUrl: running.webUrl };
  }
  const mailbox = await startOwnMailbox(config);
  closers.push(() => mailbox.stop());
  if (role === 'start') {
    await writeFile(
      runningFile(config),
      JSON.stringify({ smtpUrl: mailbox.smtpUrl, webUrl: mailbox.webUrl }),
    );
    closers.push(() => rm(runningFile(config), { force: true }));
  }
  return { smtpUrls: [mailbox.smtpUrl], inboxUrl: mailbox.webUrl };
}

async function startOwnMailbox(config: Config): Promise<Mailbox> {
  if (config.mail.kind !== 'mailbox') throw new Error('the local mailbox is not configured');
  const { given } = config;
  const smtpPort = await choosePort(config.mail.smtpPort, {
    fixed: given.has('MAILBOX_SMTP_PORT'),
    setting: 'MAILBOX_SMTP_PORT',
  });
  const webPort = await choosePort(config.mail.webPort, {
    fixed: given.has('MAILBOX_WEB_PORT'),
    setting: 'MAILBOX_WEB_PORT',
  });
  return startMailbox({ folder: join(config.dataDir, 'mailbox'), smtpPort, webPort });
}

/** The mailbox of a `start` that runs beside this command, if one does. */
export async function runningMailbox(config: Config): Promise<Pick<Mailbox, 'smtpUrl' | 'webUrl'> | null> {
  const text = await readFile(runningFile(config), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const running: Pick<Mailbox, 'smtpUrl' | 'webUrl'> = JSON.parse(text);
    return (await isFree(Number(new URL(running.smtpUrl).port))) ? null : running;
  } catch {
    return null;
  }
}

/** The secret that was set, or the one made once and kept in the data folder. */
async function readSecret(config: Config): Promise<string> {
  if (config.secret !== null) return config.secret;
  const file = join(config.dataDir, 'secret');
  await mkdir(config.dataDir, { recursive: true });
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    // A link appears whole or not at all: of two processes starting at once, one's secret stands and both read it.
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret.length < 32)
    throw new Error(
      `${relative('.', file)} is damaged: it should hold the secret that signs the links. Set SECRET, or delete the file (links mailed so far stop working).`,
    );
  return secret;
}
