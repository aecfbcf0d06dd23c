import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DigestId, IsoDate } from '#src/database/ids.ts';
import type { PlannedDigest } from '#src/digests/digest.ts';
import { findDigest } from '#src/digests/digest-view-store.ts';
import { createLog } from '#src/log.ts';
import type { Reason } from '#src/matching/types.ts';
import { journalDirectory, openTransport } from '#src/service.ts';
import { addressKey } from '#src/subscribers/lifecycle.ts';
import { localDate } from '#src/subscribers/schedule.ts';
import { findSubscriber, type StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import { createDelivery } from '#src/use-cases.ts';
import { CommandError, dateOption, type Io, startProgress, table } from './io.ts';
import { type CommandContext, withServices } from './with-services.ts';

/** `paperboy digest preview | send` and `paperboy plan` */
export function registerDigests(program: Command, io: Io): void {
  const group = program.command('digest').description('Look at a digest, or send one by hand');
  group
    .command('preview')
    .description('Show what a reader would get now, with reasons; nothing is planned or sent')
    .requiredOption('--email <address>')
    .addOption(
      new Option('--date <date>', 'edition date (default: today where the reader lives)').argParser(
        dateOption,
      ),
    )
    .option('--html <file>', 'also write it as an HTML page')
    .option('--json')
    .action((options: { email: string; date?: IsoDate; html?: string; json?: boolean }) =>
      preview(io, options),
    );
  group
    .command('send')
    .description("Send today's digest to one reader now; refused when they have had it")
    .requiredOption('--email <address>')
    .option('--json')
    .action((options: { email: string; json?: boolean }) => send(io, options));
  program
    .command('plan')
    .description('Plan the digests of every reader who is due, as the scheduler does each minute')
    .option('--now <instant>', 'plan as if it were this instant, 2026-06-01T07:00:00Z', parseInstant)
    .option('--json')
    .action((options: { now?: Date; json?: boolean }) => plan(io, options));
}

function parseInstant(text: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime()) || !/T.*(Z|[+-]\d\d:?\d\d)$/.test(text))
    throw new InvalidArgumentError('expected an instant with its zone, 2026-06-01T07:00:00Z');
  return at;
}

async function activeReader({ backing }: CommandContext, email: string): Promise<StoredSubscriber> {
  const found = await findSubscriber(backing.database, { emailKey: addressKey(email) });
  if (!found) throw new CommandError(`Nobody is subscribed as ${email}.`);
  if (found.state !== 'active')
    throw new CommandError(`${email} is ${found.state}: only active readers get digests.`);
  return found;
}

async function preview(io: Io, options: { email: string; date?: IsoDate; html?: string; json?: boolean }) {
  await withServices(async (context) => {
    const reader = await activeReader(context, options.email);
    const planned = await context.planner.preview(reader.id, options.date);
    if (!planned) throw new CommandError(`${options.email} is no active reader any more.`);
    if (options.html !== undefined) await writeHtml(context, planned, options.html);
    const rows = await describe(context, planned);
    if (options.json)
      io.out(
        JSON.stringify({
          editionDate: planned.editionDate,
          kind: planned.kind,
          candidates: planned.content.candidates,
          papers: rows,
        }),
      );
    else {
      io.out(`${planned.editionDate}: ${rows.length} of ${planned.content.candidates} papers`);
      for (const [i, { title, identity, why }] of rows.entries())
        io.out(`${String(i + 1).padStart(3)}  ${title}\n     ${identity}  ${why.join(' · ')}`);
    }
  });
}

async function writeHtml(context: CommandContext, planned: PlannedDigest, file: string): Promise<void> {
  const row = { ...planned, id: 0 as DigestId, attempts: 0, leaseToken: 0 };
  const page = await context.digestComposer.page(row, new Date());
  if (typeof page !== 'string') throw new CommandError(`There is nothing to show: ${page.skip}.`);
  await writeFile(file, page);
}

async function describe({ papers }: CommandContext, { content }: PlannedDigest) {
  const found = new Map((await papers.papersByIds(content.paperIds)).map((paper) => [paper.id, paper]));
  return content.paperIds.map((id, i) => {
    const paper = found.get(id);
    const reasons = content.reasons[i] ?? [];
    return { identity: paper?.identity ?? '', title: paper?.title ?? '', why: reasons.map(inWords), reasons };
  });
}

function inWords(reason: Reason): string {
  const terms = 'terms' in reason && reason.terms.length > 0 ? `: ${reason.terms.join(', ')}` : '';
  switch (reason.type) {
    case 'follow':
      return `follows ${reason.name}${terms}`;
    case 'liked':
      return `liked “${reason.title}”${terms}`;
    case 'reminder':
      return `put aside on ${reason.on}, comes again once`;
    case 'trending':
      return reason.fill ? 'trending (fills up)' : 'trending';
  }
}

async function send(io: Io, options: { email: string; json?: boolean }): Promise<void> {
  await withServices(async (context) => {
    const reader = await activeReader(context, options.email);
    const planned = await context.planner.planNow(reader.id);
    const editionDate = localDate(reader.timezone, new Date());
    const row = await findDigest(context.backing.database, reader.id, editionDate);
    if (!row || planned === 'gone') throw new CommandError(`${options.email} is no active reader any more.`);
    if (planned === 'planned') await deliver(context, { editionDate, from: row.id, to: row.id });
    const after = (await findDigest(context.backing.database, reader.id, editionDate)) ?? row;
    const { state, skipReason, reply } = after;
    if (options.json) io.out(JSON.stringify({ editionDate, planned, state, skipReason, reply }));
    else io.out(inSentence(planned, options.email, after));
    if (planned !== 'planned' || state !== 'sent') process.exitCode = 1;
  });
}

function inSentence(
  planned: string,
  email: string,
  row: { state: string; skipReason: string | null; reply: string | null },
): string {
  if (planned === 'already') return `${email} has a digest of today already: it is ${row.state}.`;
  if (row.state === 'skipped') return `Nothing was sent to ${email}: ${row.skipReason}.`;
  return `The digest for ${email} is ${row.state}${row.reply ? ` (${row.reply})` : ''}.`;
}

/** Delivers in this process; a worker that runs beside may have been faster, which the ledger sorts out. */
async function deliver(
  context: CommandContext,
  range: { editionDate: IsoDate; from: number; to: number },
): Promise<void> {
  const { config, backing } = context;
  const log = createLog({ level: 'warn', pretty: true, command: true });
  const transport = openTransport(config, backing, log);
  try {
    const now = () => new Date();
    const queue = { add: async () => undefined };
    const delivery = createDelivery({
      services: context,
      transport,
      config,
      database: backing.database,
      queue,
      journalDirectory: await journalDirectory(config, backing.database),
      log,
      now,
    });
    await delivery.deliverDigests(range);
  } finally {
    await transport.close();
  }
}

async function plan(io: Io, options: { now?: Date; json?: boolean }): Promise<void> {
  const at = options.now;
  await withServices(
    async ({ planner }) => {
      const progress = startProgress(io, 'readers');
      const report = await planner.planDue({ progress: (done) => progress.update(done) });
      progress.stop();
      if (options.json) io.out(JSON.stringify(report));
      else
        io.out(
          table([{ due: report.due, planned: report.planned, repeated: report.repeated, ...report.skipped }]),
        );
    },
    at ? { now: () => at } : {},
  );
}
