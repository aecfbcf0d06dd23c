import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { addDays, type DigestId, type IsoDate, isoDate, utcDate } from '#src/database/ids.ts';
import { createLedgerReport, type EditionCounts } from '#src/digests/ledger-report-store.ts';
import { readRelayLog } from '#src/digests/relay-log.ts';
import { createResolve, type Resolution, type ResolveSummary } from '#src/digests/resolve.ts';
import { createHaltStore, type HaltState } from '#src/mail/halt-store.ts';
import { selectUncertainNotices, type UncertainNotice } from '#src/mail/notice-report-store.ts';
import { messageId } from '#src/mail/sender.ts';
import { senderOf } from '#src/sender.ts';
import { CommandError, type Io, table } from './io.ts';
import { type CommandContext, withServices } from './with-services.ts';

/** Unknown digests shown at most. */
const SHOWN = 50;

/** `paperboy ledger`, `paperboy ledger resolve` and `paperboy ledger resume` */
export function registerLedger(program: Command, io: Io): void {
  const group = program
    .command('ledger')
    .description('Show what was mailed: counts by edition, and the mails whose fate is not known')
    .option('--since <date>', 'editions from this date on (default: the last 7 days)', isoDateOption)
    .option('--json', 'print {"halt", "editions", "uncertain", "notices"}')
    .action((options: { since?: IsoDate; json?: boolean }) => show(io, options));
  group
    .command('resolve')
    .description("Settle digests whose fate is unknown, by hand or from a relay's log")
    .option(
      '--log <file>',
      "mail.log of Postfix or Exim, or a list of Message-IDs that arrived; '-' for stdin",
    )
    .addOption(
      new Option('--missing <what>', 'with --log: digests that the log does not name')
        .choices(['leave', 'resend'])
        .default('leave'),
    )
    .option('--digest <id...>', 'digests by their id, with --as')
    .addOption(new Option('--as <resolution>', 'what became of them').choices(['sent', 'failed', 'resend']))
    .option('--json', 'print {"sent", "failed", "resend", "left"}')
    .action((options: ResolveOptions) => resolve(io, options));
  registerResume(group, io);
}

/** `paperboy ledger resume` */
function registerResume(group: Command, io: Io): void {
  group
    .command('resume')
    .description('End a halt of delivery now, after mending what the relay refused us for')
    .action(() =>
      withServices(async ({ backing }) => {
        const lifted = await createHaltStore({ database: backing.database }).lift();
        io.out(
          lifted
            ? 'Delivery goes on within a minute. Should the relay refuse us again, it halts again.'
            : 'Delivery is not halted: nothing to do.',
        );
      }),
    );
}

function isoDateOption(text: string): IsoDate {
  try {
    return isoDate(text);
  } catch {
    throw new CommandError(`--since ${text} is no date; it is written YYYY-MM-DD.`);
  }
}

const reportOf = ({ backing }: CommandContext) =>
  createLedgerReport({ database: backing.database, now: () => new Date() });

/** Who mails are from: their Message-IDs are made with it. */
const senderIn = ({ config, backing }: CommandContext) =>
  senderOf(config, config.web.baseUrl ?? '', backing.secret);

async function show(io: Io, options: { since?: IsoDate; json?: boolean }): Promise<void> {
  await withServices(async (context) => {
    const since = options.since ?? addDays(utcDate(new Date()), -7);
    const report = reportOf(context);
    const editions = await report.counts(since);
    const uncertain = await report.uncertain(since, options.json ? 100_000 : SHOWN);
    const { database } = context.backing;
    const notices = await selectUncertainNotices(database, since, options.json ? 100_000 : SHOWN);
    const halt = await createHaltStore({ database }).look();
    if (options.json) {
      const sender = senderIn(context);
      return io.out(
        JSON.stringify({
          halt,
          editions,
          uncertain: uncertain.map(({ publicId, ...digest }) => ({
            ...digest,
            messageId: publicId === null ? null : messageId(sender, digest.editionDate, publicId),
          })),
          notices: notices.map(({ email, ...notice }) => ({
            ...notice,
            messageId: messageId(sender, `notice-${notice.id}`, email),
          })),
        }),
      );
    }
    if (halt) io.out(`${haltWords(halt)}\n`);
    io.out(table(editions.map(editionRow)));
    if (notices.length > 0) {
      io.out(
        `\nConfirmations and other notices in doubt, or sent again because they were (${SHOWN} at most):`,
      );
      io.out(table(notices.map(noticeRow)));
    }
    if (uncertain.length === 0) return io.out('\nNo digest is or was in doubt.');
    io.out(`\nIn doubt, or sent again because they were (${SHOWN} at most):`);
    io.out(
      table(
        uncertain.map((digest) => ({
          digest: digest.id,
          edition: digest.editionDate,
          subscriber: digest.subscriberId,
          state: digest.state,
          'sent again': digest.resent ? 'yes' : 'no',
          'handed over': digest.handedOverAt,
          reply: digest.reply,
        })),
      ),
    );
  });
}

const noticeRow = ({ id, kind, state, resent, createdAt, reply }: UncertainNotice) => ({
  notice: id,
  kind,
  state,
  'sent again': resent ? 'yes' : 'no',
  planned: createdAt,
  reply,
});

const haltWords = ({ raisedAt, reply, nextProbeAt, probes }: HaltState) =>
  `DELIVERY IS HALTED since ${raisedAt.toISOString()}: the relay refuses us as a sender (${reply}).
Tried again ${probes} times; next at ${nextProbeAt.toISOString()}, or at once with \`paperboy ledger resume\`.`;

const editionRow = ({ editionDate, states, skipped, resent }: EditionCounts) => ({
  edition: editionDate,
  planned: states.planned ?? 0,
  'in flight': (states.claimed ?? 0) + (states.handed_over ?? 0),
  sent: states.sent ?? 0,
  deferred: states.deferred ?? 0,
  failed: states.failed ?? 0,
  unknown: states.unknown ?? 0,
  'sent again': resent,
  skipped: states.skipped ?? 0,
  'why skipped': Object.entries(skipped)
    .map(([reason, n]) => `${reason} ${n}`)
    .join(', '),
});

type ResolveOptions = {
  log?: string;
  missing: 'leave' | 'resend';
  digest?: string[];
  as?: Resolution;
  json?: boolean;
};

async function resolve(io: Io, options: ResolveOptions): Promise<void> {
  const byHand = options.digest !== undefined || options.as !== undefined;
  if (byHand === (options.log !== undefined))
    throw new CommandError('Give either --log FILE, or --digest ID… with --as sent|failed|resend.');
  const ids = (options.digest ?? []).map(digestId);
  if (byHand && (ids.length === 0 || options.as === undefined))
    throw new CommandError('--digest and --as go together: --digest 12 13 --as sent.');
  await withServices(async (context) => {
    const sender = senderIn(context);
    const use = createResolve({
      report: reportOf(context),
      messageIdOf: ({ editionDate, publicId }) => messageId(sender, editionDate, publicId ?? ''),
    });
    const summary = options.as
      ? await use.byHand(ids, options.as)
      : await use.byLog(await readRelayLog(linesOf(options.log ?? '-')), options.missing);
    io.out(options.json ? JSON.stringify(summary) : describe(summary));
  });
}

function digestId(text: string): DigestId {
  if (!/^\d{1,15}$/.test(text)) throw new CommandError(`--digest ${text} is no id: see \`paperboy ledger\`.`);
  return Number(text) as DigestId;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw new CommandError(
      `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const describe = ({ sent, failed, resend, left }: ResolveSummary) =>
  `Settled: ${sent} sent, ${failed} failed, ${resend} to be sent again. Left unknown: ${left}.`;
