import { type Command, InvalidArgumentError, Option } from 'commander';
import { readConfig } from '#src/config.ts';
import type { IsoDate } from '#src/database/ids.ts';
import type { IngestReport } from '#src/papers/ingest.ts';
import { type IngestCommand, ingestCommand } from '#src/papers/ingest-command.ts';
import { createNetwork } from '#src/papers/network.ts';
import type { PaperStore } from '#src/papers/paper-store.ts';
import { createSources, type Sources } from '#src/papers/sources/sources.ts';
import { openReading } from '#src/reading.ts';
import { CommandError, dateOption, type Io, startProgress } from './io.ts';
import { withServices } from './with-services.ts';

type Options = {
  dryRun?: boolean;
  json?: boolean;
  from?: IsoDate;
  to?: IsoDate;
  on?: IsoDate;
  week?: string;
  month?: string;
  query?: string;
  limit?: number;
};

const day = (flag: string, description: string) => new Option(flag, description).argParser(dateOption);

const EXAMPLES = `
Examples:
  paperboy ingest huggingface                                   today and the two weeks before
  paperboy ingest arxiv --from 2026-06-01 --to 2026-06-30
  paperboy ingest arxiv recordings/ --dry-run --json            nothing is stored
  paperboy ingest ids 2506.01234 https://arxiv.org/abs/2506.04321 --on 2026-06-02`;

/** `paperboy ingest SOURCE [FILE…]` */
export function registerIngest(program: Command, io: Io): void {
  program
    .command('ingest')
    .description('Read papers from a source, from recorded files where any are named, else from the network')
    .argument('<source>', [...createSources().keys()].join(' | '))
    .argument(
      '[files...]',
      'recorded files, or folders of them; for `ids` arXiv ids or addresses, or files of them',
    )
    .addOption(day('--from <date>', 'first day to read'))
    .addOption(day('--to <date>', 'last day to read'))
    .addOption(day('--on <date>', 'the day to list papers on where the input names none (default: today)'))
    .addOption(
      new Option('--week <week>', 'huggingface: the list of an ISO week, 2026-W23')
        .argParser(matching(/^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$/, 'an ISO week such as 2026-W23'))
        .conflicts(['from', 'to', 'month']),
    )
    .addOption(
      new Option('--month <month>', 'huggingface: the list of a month, 2026-06')
        .argParser(matching(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month such as 2026-06'))
        .conflicts(['from', 'to']),
    )
    .addOption(
      new Option('--query <query>', 'arxiv: what its API finds, such as "cat:cs.CL AND ti:diffusion"')
        .argParser(matching(/\S/, 'a query such as cat:cs.CL'))
        .conflicts(['from', 'to']),
    )
    .addOption(
      new Option('--limit <count>', 'with --query: papers at most (default: 100)').argParser(limitOption),
    )
    .addHelpText('after', EXAMPLES)
    .option('--dry-run', 'read and check everything, store nothing')
    .option('--json', 'print {"listings", "papers", "faults", …}')
    .action((source: string, files: string[], options: Options) => runIngest(io, source, files, options));
}

/** An option whose value looks like `pattern`. */
const matching = (pattern: RegExp, expected: string) => (text: string) => {
  if (!pattern.test(text)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return text;
};

/** arXiv's API goes no further (its manual, section 3.1.1.2). */
const MOST_FOUND = 30_000;

function limitOption(text: string): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MOST_FOUND)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_FOUND}.`);
  return limit;
}

/** Each source has ways of asking of its own; one that it doesn't have is not passed over in silence. */
function checkQuestion(source: string, files: readonly string[], options: Options): void {
  const { week, month, query, limit } = options;
  const asked = query ?? week ?? month;
  if ((week ?? month) !== undefined && source !== 'huggingface')
    throw new CommandError('--week and --month are for the source huggingface.');
  if (query !== undefined && source !== 'arxiv') throw new CommandError('--query is for the source arxiv.');
  if (limit !== undefined && query === undefined) throw new CommandError('--limit needs --query.');
  if (asked !== undefined && files.length > 0)
    throw new CommandError('--week, --month and --query ask the network: name no files with them.');
}

async function runIngest(io: Io, source: string, files: string[], options: Options): Promise<void> {
  const { from, to, on, week, month, query, limit } = options;
  checkQuestion(source, files, options);
  const command: IngestCommand = {
    source,
    files,
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(on ? { listedOn: on } : {}),
    ...(week ? { week } : {}),
    ...(month ? { month } : {}),
    ...(query ? { query } : {}),
    ...(limit ? { limit } : {}),
  };
  const report = options.dryRun
    ? await readDry(io, command)
    : await withServices(async ({ papers, config, backing }) => {
        const reading = openReading({ config, database: backing.database, log: null, now: () => new Date() });
        try {
          return await read(io, command, papers, reading.sources);
        } finally {
          await reading.close();
        }
      });
  if (options.json) io.out(JSON.stringify(report));
  else for (const line of describe(report, options.dryRun === true)) io.out(line);
  if (report.faultCount > 0) process.exitCode = 1;
}

/** A dry run needs no database: rates are kept in this process. */
async function readDry(io: Io, command: IngestCommand): Promise<IngestReport> {
  const { contact, arxivCategories, keepAnswersIn, addresses } = readConfig().papers;
  const network = createNetwork({
    database: null,
    contact,
    addresses,
    now: () => new Date(),
    ...(keepAnswersIn ? { keepAnswersIn } : {}),
  });
  const sources = createSources({ network, arxivCategories, addresses });
  try {
    return await read(io, command, null, sources);
  } finally {
    await network.close();
  }
}

async function read(
  io: Io,
  command: IngestCommand,
  store: PaperStore | null,
  sources: Sources,
): Promise<IngestReport> {
  const progress = startProgress(io, 'listings');
  try {
    const deps = { sources, store, now: () => new Date() };
    const outcome = await ingestCommand(deps, command, {
      onProgress: ({ listings }) => progress.update(listings),
    });
    switch (outcome.type) {
      case 'ingested':
        return outcome.report;
      case 'unknown-source':
        throw new CommandError(
          `There is no source "${command.source}"; there are: ${outcome.known.join(', ')}.`,
        );
      case 'no-such-file':
        throw new CommandError(`There is no file or folder ${outcome.file}.`);
    }
  } finally {
    progress.stop();
  }
}

function describe(report: IngestReport, dryRun: boolean): string[] {
  const where = ({ where, line }: { where: string; line?: number }) =>
    line === undefined ? where : `${where}:${line}`;
  const faults = report.faults.map((fault) => `fault  ${where(fault)}  ${fault.message}`);
  const rest = report.faultCount - report.faults.length;
  return [
    ...faults,
    ...(rest > 0 ? [`… and ${rest} faults more`] : []),
    dryRun
      ? `${report.listings} listings of ${report.papers} papers, ${report.faultCount} faults; nothing stored`
      : `${report.listings} listings of ${report.papers} papers (${report.created} new, ${report.known} known), ${report.faultCount} faults`,
  ];
}
