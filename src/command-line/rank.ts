import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { IsoDate } from '#src/database/ids.ts';
import { rankPapers, textsOf } from '#src/matching/rank/rank-papers.ts';
import { type Parsed, parsePaperLine, parseProfileLine } from '#src/matching/rank/read-lines.ts';
import { askForVectors } from './ask-for-vectors.ts';
import { CommandError, dateOption, type Io, startProgress } from './io.ts';

type Options = {
  papers: string;
  background?: string;
  profiles: string;
  top: number;
  fitBefore?: IsoDate;
  trend: boolean;
  embeddings?: boolean;
};

/** `paperboy rank`: ranks papers of a file for profiles of a file; needs no database. */
export function registerRank(program: Command, io: Io): void {
  program
    .command('rank')
    .description('Rank papers for profiles, both from files of JSON lines; prints one JSON line a profile')
    .requiredOption(
      '--papers <file>',
      'papers {"id","title","abstract","authors"?,"categories"?,"listed"?,"trend"?}, may be .gz',
    )
    .requiredOption(
      '--profiles <file>',
      'profiles {"id","phrase"?,"likes"?,"dislikes"?,"follows"?,"mutes"?,"candidates"?}',
    )
    .option(
      '--background <file>',
      'papers that statistics are fitted on and that profiles may name (default: the papers)',
    )
    .addOption(new Option('--top <n>', 'papers per profile').default(10).argParser(wholeNumber))
    .addOption(
      new Option('--fit-before <date>', 'fit statistics only on papers listed before this day').argParser(
        dateOption,
      ),
    )
    .option('--no-trend', 'leave the trend of papers out')
    .option('--json', 'the form it has anyway')
    .option('--embeddings', 'compare meanings by the vectors of EMBEDDINGS_URL instead of by LSA')
    .action((options: Options) => runRank(io, options));
}

async function runRank(io: Io, options: Options): Promise<void> {
  const papers = await readLines(options.papers, parsePaperLine);
  const background = options.background ? await readLines(options.background, parsePaperLine) : [];
  const profiles = await readLines(options.profiles, parseProfileLine);
  const { top, fitBefore } = options;
  const files = { papers, background, profiles, ...(fitBefore ? { fitBefore } : {}) };
  const embeddings = options.embeddings ? await askForVectors(io, textsOf(files)) : undefined;
  const progress = startProgress(io, 'profiles');
  const deps = {
    ...(embeddings ? { embeddings } : {}),
    write: (answer: unknown) => io.out(JSON.stringify(answer)),
    onProgress: (step: 'fit' | 'profiles', done: number) => {
      if (step === 'profiles') progress.update(done, profiles.length);
    },
  };
  try {
    const outcome = rankPapers(deps, { ...files, top, noTrend: !options.trend });
    if (outcome.type === 'nothing-to-fit')
      throw new CommandError(
        `No paper was listed before ${outcome.before}: give an earlier-starting --background, or a later --fit-before.`,
      );
  } finally {
    progress.stop();
  }
}

/** Every line of a file, plain or gzip; the first faulty one ends the command, named by its line. */
async function readLines<Value>(file: string, parse: (line: string) => Parsed<Value>): Promise<Value[]> {
  const values: Value[] = [];
  const raw = createReadStream(file);
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  raw.on('error', (error) => input.destroy(error));
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (text.trim() === '') continue;
      const parsed = parse(text);
      if (parsed.type === 'invalid') throw new CommandError(`${file}:${line}: ${parsed.message}`);
      values.push(parsed.value);
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${file} can not be read: ${(error as Error).message}`);
  }
  return values;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('must be a whole number from 1');
  return number;
}
