import { relative } from 'node:path';
import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import { type Backing, openBacking } from '#src/backing.ts';
import { type Config, readConfig } from '#src/config.ts';
import { migrateDatabase, pendingMigrations } from '#src/database/migrate.ts';
import { createLog, type Log } from '#src/log.ts';
import { openQueue } from '#src/queue/queue.ts';
import { openService, queueBackend, type Service } from '#src/service.ts';
import { CommandError, type Io } from './io.ts';

/** `paperboy start | api | worker | migrate` */
export function registerServe(program: Command, io: Io): void {
  program
    .command('start')
    .description('Run everything in one process: pages, workers, scheduler; embedded where nothing is set')
    .action(() => start(io));
  program
    .command('api')
    .description('Run the pages and the HTTP API; needs DATABASE_URL')
    .action(() => serve(io, 'api'));
  program
    .command('worker')
    .description('Run the workers and the scheduler; needs DATABASE_URL and SMTP_URL')
    .action(() => serve(io, 'worker'));
  program
    .command('migrate')
    .description('Bring the database schema up to date; safe from several processes at once')
    .option('--check', 'only say what is missing; exit 1 when anything is')
    .action((options: { check?: boolean }) => migrate(io, options.check === true));
}

/** On a terminal a person reads along: warnings only, unless they asked for more. */
function logOf(config: Config): Log {
  const terminal = process.stdout.isTTY === true;
  const level = terminal && !config.given.has('LOG_LEVEL') ? 'warn' : config.logLevel;
  return createLog({ level, pretty: terminal });
}

/**
 * Opens the service, and from then on closes it and the backing services on SIGINT, SIGTERM and fatal errors; a second
 * signal, or SHUTDOWN_SECONDS, ends the process at once. Should opening fail, the backing services are closed as well.
 */
async function serveFrom(
  { config, backing, log }: { config: Config; backing: Backing; log: Log },
  open: () => Promise<Service>,
): Promise<Service> {
  let service: Service | undefined;
  const grace = closeWithGrace(
    { delay: config.shutdownSeconds * 1000, logger: false },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'fatal error, shutting down');
      else log.info({ signal }, 'shutting down');
      await service?.close();
      await backing.close();
      if (err) process.exitCode = 1;
    },
  );
  try {
    service = await open();
    return service;
  } catch (error) {
    grace.uninstall();
    await backing.close();
    throw error;
  }
}

async function start(io: Io): Promise<void> {
  const config = readConfig();
  const log = logOf(config);
  const backing = await openBacking(config, 'start', log);
  const service = await serveFrom({ config, backing, log }, async () => {
    await migrateDatabase(backing.database);
    return openService({ config, backing, log, parts: { web: true, workers: true } });
  });
  io.out(banner(config, service, backing));
  void service.ensurePapers().catch((error: unknown) => log.error({ err: error }, 'no papers could be read'));
}

function banner(
  config: Config,
  service: Service,
  backing: { inboxUrl: string | null; databaseUrl: string },
): string {
  const rows = [
    ['Page', service.pageUrl ?? ''],
    ...(backing.inboxUrl
      ? [['Inbox', `${backing.inboxUrl}   no mail leaves this machine`]]
      : [['Mail', 'goes out by SMTP_URL']]),
    [
      'Data',
      config.database.kind === 'embedded'
        ? `${relative('.', config.dataDir) || '.'}   embedded PostgreSQL on port ${new URL(backing.databaseUrl).port}`
        : 'DATABASE_URL',
    ],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(7)}${value}`);
  return ['', '  Paperboy is up. Ctrl-C stops everything.', '', ...lines, ''].join('\n');
}

async function serve(io: Io, command: 'api' | 'worker'): Promise<void> {
  const config = readConfig();
  const log = logOf(config);
  const backing = await openBacking(config, { separate: command }, log);
  const service = await serveFrom({ config, backing, log }, async () => {
    const pending = await pendingMigrations(backing.database);
    if (pending.length > 0)
      throw new CommandError(
        `The database lacks ${pending.length} migration(s) (${pending.join(', ')}): run \`paperboy migrate\` first.`,
      );
    const parts = { web: command === 'api', workers: command === 'worker' };
    return openService({ config, backing, log, parts });
  });
  io.out(command === 'api' ? `Paperboy's pages are at ${service.pageUrl}` : 'A Paperboy worker is up');
}

async function migrate(io: Io, check: boolean): Promise<void> {
  const config = readConfig();
  const backing = await openBacking(
    { ...config, mail: { kind: 'smtp', urls: [] } },
    'command',
    logOf(config),
  );
  try {
    if (check) {
      const pending = await pendingMigrations(backing.database);
      for (const name of pending) io.out(`missing  ${name}`);
      if (pending.length > 0) process.exitCode = 1;
      else io.out('The schema is up to date.');
      return;
    }
    const applied = await migrateDatabase(backing.database);
    for (const name of applied) io.out(`applied  ${name}`);
    // Opening brings BullMQ's own tables up to date.
    await (await openQueue(queueBackend(config, backing))).close();
    io.out('The schema is up to date.');
  } finally {
    await backing.close();
  }
}
