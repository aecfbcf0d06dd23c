import { type Backing, openBacking } from '#src/backing.ts';
import { type Config, readConfig } from '#src/config.ts';
import { migrateDatabase, pendingMigrations } from '#src/database/migrate.ts';
import { createLog } from '#src/log.ts';
import type { JobQueue } from '#src/queue/jobs.ts';
import { type OpenQueue, openQueue } from '#src/queue/queue.ts';
import { queueBackend } from '#src/service.ts';
import { createServices, type Services } from '#src/services.ts';
import { CommandError } from './io.ts';

/** What a command works with. */
export type CommandContext = Services & { readonly config: Config; readonly backing: Backing };

/**
 * Opens the services for one command, beside a running `start` or alone, runs `work`, and closes them again.
 * @param options.now a clock other than the real one
 * @throws CommandError when the schema of an external database is not the one of this version
 */
export async function withServices<Result>(
  work: (context: CommandContext) => Promise<Result>,
  options: { now?: () => Date } = {},
): Promise<Result> {
  const config = readConfig();
  const log = createLog({
    level: config.given.has('LOG_LEVEL') ? config.logLevel : 'warn',
    pretty: true,
    command: true,
  });
  const backing = await openBacking(config, 'command', log);
  const lazy = openLazily(config, backing);
  try {
    await requireSchema(config, backing);
    const services = createServices({
      config,
      database: backing.database,
      secret: backing.secret,
      baseUrl: config.web.baseUrl ?? `http://localhost:${config.web.port}`,
      queue: lazy.queue,
      now: options.now ?? (() => new Date()),
    });
    await services.topics.syncCatalogue();
    return await work({ ...services, config, backing });
  } finally {
    await lazy.close();
    await backing.close();
  }
}

/** An embedded database is ours to migrate; an external one waits for `paperboy migrate`. */
async function requireSchema(config: Config, { database }: Backing): Promise<void> {
  if (config.database.kind === 'embedded') {
    await migrateDatabase(database);
    return;
  }
  const pending = await pendingMigrations(database);
  if (pending.length > 0)
    throw new CommandError(
      `The database lacks ${pending.length} migration(s) (${pending.join(', ')}): run \`paperboy migrate\` first.`,
    );
}

/** A queue that is opened when the first job is added: most commands add none. */
function openLazily(config: Config, backing: Backing): { queue: JobQueue; close(): Promise<void> } {
  let opened: Promise<OpenQueue> | undefined;
  const open = () => (opened ??= openQueue(queueBackend(config, backing)));
  return {
    queue: { add: async (name, payload, options) => (await open()).queue.add(name, payload, options) },
    close: async () => {
      if (opened) await (await opened).close();
    },
  };
}
