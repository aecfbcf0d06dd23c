import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type Config, readConfig } from '#src/config.ts';
import { type Database, openDatabase } from '#src/database/database.ts';
import { addDays, type IsoDate, isoDate } from '#src/database/ids.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { ensurePartitions } from '#src/digests/partition-store.ts';
import { createRecoveryStore } from '#src/digests/recovery-store.ts';
import { createManualClock, type ManualClock, replay } from '#src/digests/replay.ts';
import { createReplayStore, type ReplayCounts } from '#src/digests/replay-store.ts';
import { createSweep } from '#src/digests/sweep.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { createLog } from '#src/log.ts';
import { startEmlSink } from '#src/mail/eml-sink.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { createMailTransport } from '#src/mail/transport.ts';
import { ingest } from '#src/papers/ingest.ts';
import { recordedFiles } from '#src/papers/ingest-command.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import type { JobPayload, JobQueue } from '#src/queue/jobs.ts';
import { createServices, type Services } from '#src/services.ts';
import { type NewSubscriber, parseSubscriberLines } from '#src/subscribers/lines.ts';
import { createDelivery } from '#src/use-cases.ts';
import { CommandError, dateOption, type Io, startProgress } from './io.ts';

type Options = {
  huggingface?: string;
  arxiv?: string;
  from: IsoDate;
  to: IsoDate;
  subscribers: string;
  out: string;
};

const day = (flags: string, description: string) =>
  new Option(flags, description).argParser(dateOption).makeOptionMandatory();

/** `paperboy replay` */
export function registerReplay(program: Command, io: Io): void {
  program
    .command('replay')
    .description(
      'Drive the real planner and deliverer over recorded days, on a clock of its own; mails become .eml files',
    )
    .option('--huggingface <dir>', 'folder of recorded daily_papers answers, YYYY-MM-DD.json')
    .option('--arxiv <dir>', 'folder of recorded arXiv announcements, YYYY-MM-DD.jsonl.gz')
    .addOption(day('--from <date>', 'first day, from 00:00 UTC'))
    .addOption(day('--to <date>', 'last day, to its end'))
    .requiredOption(
      '--subscribers <file>',
      'JSON lines {"email","timezone","hour","frequency","follows","mutes"}',
    )
    .requiredOption(
      '--out <dir>',
      'mail/*.eml, summary.json and the state to go on from; a finished one is only summed up',
    )
    .addHelpText('after', '\nKilled in the middle, the same command goes on where it was.')
    .action((options: Options) => runReplay(io, options));
}

/** No secret: the mails go into a folder, and two replays are to write the same. */
const REPLAY_SECRET = 'replayed mails stay in a folder: nothing to protect';
/** Real time that the rows of a killed run stay locked, in seconds. */
const LEASE_SECONDS = 5;

async function runReplay(io: Io, options: Options): Promise<void> {
  if (options.to < options.from)
    throw new CommandError(`--to ${options.to} is before --from ${options.from}.`);
  const out = resolve(options.out);
  await mkdir(out, { recursive: true });
  const own = readConfig();
  const config: Config = { ...readConfig({}), digests: { ...own.digests, leaseSeconds: LEASE_SECONDS } };
  const server = await startEmbeddedPostgres(join(out, 'state'));
  const database = openDatabase(server.url);
  const sink = await startEmlSink(join(out, 'mail'));
  const transport = createMailTransport({ relays: [parseRelay(sink.url)], connections: 4 });
  try {
    await migrateDatabase(database);
    const counts = await drive(io, options, { config, database, transport });
    const summary = {
      from: options.from,
      to: options.to,
      ...counts,
      messagesRepeated: sink.repeats().length,
    };
    await writeFile(join(out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    io.out(JSON.stringify(summary));
    if (counts.repeats > 0 || counts.open > 0) process.exitCode = 1;
  } finally {
    await transport.close();
    await sink.close();
    await database.destroy();
    await server.stop();
  }
}

type Stage = {
  readonly config: Config;
  readonly database: Database;
  readonly transport: ReturnType<typeof createMailTransport>;
};

async function drive(
  io: Io,
  options: Options,
  { config, database, transport }: Stage,
): Promise<ReplayCounts> {
  const store = createReplayStore({ database });
  const start = new Date(`${options.from}T00:00:00Z`);
  const checkpoint = await store.checkpoint();
  const clock = createManualClock(checkpoint ?? new Date(start.getTime() - 1));
  const { queue, deliverAll } = createDirectQueue();
  const log = createLog({ level: 'warn', pretty: io.interactive, command: true });
  const baseUrl = `http://localhost:${config.web.port}`;
  const services = createServices({
    config,
    database,
    secret: REPLAY_SECRET,
    baseUrl,
    queue,
    now: clock.now,
  });
  const delivery = createDelivery({
    services,
    transport,
    config,
    database,
    queue,
    journalDirectory: join(resolve(options.out), 'journal'),
    log,
    now: clock.now,
  });
  // What a killed run had on the wire is in its journal; the rest of what it held is free again.
  await delivery.settleJournals();
  await services.topics.syncCatalogue();
  await ensurePartitions(database, addDays(options.from, -2), addDays(options.to, 2));
  if (!checkpoint) await enrol(io, options, services, store);

  const recovery = createRecoveryStore({ database, now: clock.now });
  const sweep = createSweep({
    store: recovery,
    notices: services.notices,
    queue,
    unknownPolicy: config.digests.unknownPolicy,
    // Nobody else works on this database: what is lapsed is lost, what is unknown stays so.
    resendAfterMs: 0,
    strandedAfterMs: 0,
    graceMs: 0,
  });
  const progress = startProgress(io, 'days');
  try {
    await replay(
      {
        clock,
        checkpoint,
        nextDue: store.nextDue,
        saveCheckpoint: store.saveCheckpoint,
        planDue: () => services.planner.planDue(),
        ingestDay: (date) => ingestDay(io, options, services, clock, date),
        deliverAll: async () => {
          await deliverAll(delivery.deliverDigests);
          // What a killed run left: its leases run out in real time.
          do await sweep();
          while ((await store.inFlight()) > 0 && (await delay(200, true)));
          await deliverAll(delivery.deliverDigests);
        },
        progress: (done, days) => progress.update(done, days),
      },
      options.from,
      options.to,
    );
  } finally {
    progress.stop();
  }
  return store.counts();
}

/** A queue that keeps its jobs until they are asked for: the replay runs them itself, one beat after the other. */
function createDirectQueue() {
  const jobs: JobPayload<'deliver-digests'>[] = [];
  const queue: JobQueue = {
    add: async (name, payload) => {
      if (name === 'deliver-digests') jobs.push(payload as JobPayload<'deliver-digests'>);
    },
  };
  const deliverAll = async (
    deliver: (range: { editionDate: IsoDate; from: number; to: number }) => Promise<unknown>,
  ) => {
    for (let job = jobs.shift(); job; job = jobs.shift())
      await deliver({ ...job, editionDate: isoDate(job.editionDate) });
  };
  return { queue, deliverAll };
}

async function enrol(
  io: Io,
  options: Options,
  services: Services,
  store: ReturnType<typeof createReplayStore>,
): Promise<void> {
  const { subscribers, faults } = await readSubscribers(options.subscribers, services);
  if (faults.length > 0) {
    for (const fault of faults.slice(0, 50)) io.err(`${options.subscribers}:${fault.line}: ${fault.message}`);
    throw new CommandError(`${options.subscribers} has ${faults.length} fault(s); nothing was replayed.`);
  }
  const report = await services.subscribers.addSubscribers(subscribers, 'made up for a replay');
  if (report.exists.length > 0)
    io.err(`${report.exists.length} line(s) repeat an address; the first of each counts`);
  await store.fixPublicIds();
}

async function readSubscribers(file: string, services: Services) {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new CommandError(`${file} can't be read: ${error.message}`);
  });
  const parsed = parseSubscriberLines(text, {
    policy: { refuseRoles: false, refusedDomains: new Set<string>() },
    defaults: { timezone: 'UTC', hour: 7 },
    catalogue: await services.topics.catalogue(),
  });
  return parsed as { subscribers: NewSubscriber[]; faults: typeof parsed.faults };
}

async function ingestDay(
  io: Io,
  options: Options,
  services: Services,
  clock: ManualClock,
  date: IsoDate,
): Promise<void> {
  const folders = [
    ['arxiv-listings', options.arxiv],
    ['huggingface', options.huggingface],
  ] as const;
  for (const [name, folder] of folders) {
    if (folder === undefined) continue;
    const source = createSources().get(name);
    const files = await recordedFiles(folder, { from: date, to: date }).catch((error: Error) => {
      throw new CommandError(`${folder} can't be read: ${error.message}`);
    });
    if (!source || files.length === 0) continue;
    const report = await ingest({ items: source.read({ now: clock.now(), files }), store: services.papers });
    for (const fault of report.faults)
      io.err(`${fault.where}${fault.line === undefined ? '' : `:${fault.line}`}: ${fault.message}`);
  }
}
