import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command, CommanderError } from 'commander';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandError } from '#src/command-line/io.ts';
import { registerRank } from '#src/command-line/rank.ts';
import { registerWhy } from '#src/command-line/why.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { startEmbeddingsServer } from '#test/support/embeddings-server.ts';

let folder: string;
let db: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paperboy-rank-'));
  db = await createTestDatabase();
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
});
afterAll(async () => {
  await db.destroy();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => void vi.unstubAllEnvs());

const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
const PAPERS = Array.from({ length: 12 }, (_, at) => ({
  id: `2606.000${at + 10}`,
  title: at % 3 === 0 ? `Sheep ${at} in the meadow` : `Engines ${at} that roar`,
  abstract: at % 3 === 0 ? 'Wool and shepherds.' : 'Fuel and pistons.',
  authors: ['Ada Lovelace'],
  categories: ['cs.CL'],
  listed: '2026-06-01',
}));
const FILES = {
  'papers.jsonl': lines(PAPERS),
  'papers.jsonl.gz': gzipSync(`${lines(PAPERS)}\n\n`),
  'bad-papers.jsonl': `${JSON.stringify(PAPERS[0])}\n\n{"id":"x","title":`,
  'not-gzip.jsonl.gz': 'plain text',
  'profiles.jsonl': lines([
    { id: 'words', phrase: 'wool of sheep' },
    { id: 'example', likes: ['2606.00010', 'nowhere'] },
    {
      id: 'reader',
      follows: [{ kind: 'query', value: 'title:engines' }],
      mutes: [{ kind: 'query', value: 'title:4' }],
    },
    { id: 'nothing' },
  ]),
  'bad-profiles.jsonl': lines([{ id: 'a' }, { id: 'b', follows: [{ kind: 'query', value: '(sheep' }] }]),
};

type Result = { code: number; out: string; err: string };
/** Runs the command as a process of its own; `@name` is a file of this test. */
function paperboy(args: string, environment: Record<string, string> = {}): Promise<Result> {
  const env = { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), ...environment };
  const words = args.split(' ').map((word) => (word.startsWith('@') ? join(folder, word.slice(1)) : word));
  return new Promise((resolve) => {
    execFile(process.execPath, ['src/main.ts', ...words], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}
/** The same in this process, where the start of another would cost more than what is tested. */
async function inProcess(args: string, environment: Record<string, string> = {}): Promise<Result> {
  for (const [name, value] of Object.entries({ BASE_URL: '', ...environment })) vi.stubEnv(name, value);
  const result = { code: 0, out: '', err: '' };
  const io = {
    out: (text: string) => void (result.out += `${text}\n`),
    err: (text: string) => void (result.err += `${text}\n`),
    interactive: false,
  };
  const output = {
    writeOut: (text: string) => void (result.out += text),
    writeErr: (text: string) => void (result.err += text),
  };
  const program = new Command('paperboy').exitOverride().configureOutput(output);
  registerRank(program, io);
  registerWhy(program, io);
  const words = args.split(' ').map((word) => (word.startsWith('@') ? join(folder, word.slice(1)) : word));
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) result.code = error.exitCode === 0 ? 0 : 2;
    else if (error instanceof CommandError) Object.assign(result, { code: 1, err: error.message });
    else throw error;
  }
  return result;
}
type Answer = {
  id: string;
  ranking: { paper: string; score: number; reasons: { type: string; weight: number }[] }[];
  unknown?: string[];
};
const answersOf = ({ out }: Result): Answer[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
const isSheep = (id: string): boolean => (Number(id.slice(-2)) - 10) % 3 === 0;

describe('paperboy rank', () => {
  test('prints one JSON line a profile, whatever the order and packing of the papers', async () => {
    const [plain, packed] = await Promise.all([
      paperboy('rank --papers @papers.jsonl --profiles @profiles.jsonl --top 3 --json'),
      inProcess('rank --papers @papers.jsonl.gz --profiles @profiles.jsonl --top 3 --no-trend'),
    ]);
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect(packed.out).toBe(plain.out);
    const [words, example, reader, nothing] = answersOf(plain);
    expect(words?.ranking.map(({ paper }) => isSheep(paper))).toEqual([true, true, true]);
    for (const { score, reasons } of words?.ranking ?? [])
      expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(score, 5);
    expect(example?.ranking.map(({ paper }) => isSheep(paper))).toEqual([true, true, true]);
    expect(example?.unknown).toEqual(['nowhere']);
    expect(reader?.ranking.every(({ paper }) => !isSheep(paper) && paper !== '2606.00014')).toBe(true);
    expect(nothing?.ranking).toHaveLength(3);
  });

  test('asks an embeddings endpoint where that is wished, and says so when it does not answer', async () => {
    const server = await startEmbeddingsServer();
    const run = (environment: Record<string, string>) =>
      inProcess('rank --papers @papers.jsonl --profiles @profiles.jsonl --embeddings', environment);
    const well = await run({ EMBEDDINGS_URL: server.origin, EMBEDDINGS_BATCH: '5' });
    await server.close();
    const down = await run({ EMBEDDINGS_URL: 'http://127.0.0.1:9/v1' });
    const none = await run({ EMBEDDINGS_URL: '' });
    expect(well).toMatchObject({ code: 0, err: '' });
    expect(server.requests.flatMap(({ texts }) => texts)).toContain('wool of sheep');
    expect(server.requests.every(({ texts }) => texts.length <= 5)).toBe(true);
    expect(answersOf(well)).toHaveLength(4);
    expect(down).toMatchObject({ code: 0 });
    expect(down.err).toMatch(/^15 texts have no vector, LSA is used for them: .*ECONNREFUSED/);
    expect(answersOf(down)).toHaveLength(4);
    expect(none).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('EMBEDDINGS_URL is not set'),
    });
  });

  test.each([
    ['rank --help', 0, /Usage: paperboy rank/],
    ['rank --papers @papers.jsonl', 2, /required option '--profiles <file>'/],
    ['rank --papers @papers.jsonl --profiles @profiles.jsonl --top none', 2, /must be a whole number from 1/],
    ['rank --papers @papers.jsonl --profiles @profiles.jsonl --fit-before soon', 2, /not a calendar date/],
    [
      'rank --papers @papers.jsonl --profiles @profiles.jsonl --fit-before 2020-01-01',
      1,
      /No paper was listed before 2020-01-01/,
    ],
    ['rank --papers @nowhere.jsonl --profiles @profiles.jsonl', 1, /nowhere\.jsonl can not be read: ENOENT/],
    [
      'rank --papers @not-gzip.jsonl.gz --profiles @profiles.jsonl',
      1,
      /not-gzip\.jsonl\.gz can not be read: incorrect header/,
    ],
    ['rank --papers @bad-papers.jsonl --profiles @profiles.jsonl', 1, /bad-papers\.jsonl:3: not JSON/],
    [
      'rank --papers @papers.jsonl --profiles @bad-profiles.jsonl',
      1,
      /bad-profiles\.jsonl:2: follows\[0\]: character 1: this bracket/,
    ],
    ['why --help', 0, /Usage: paperboy why/],
    ['why --email ada@example.org', 2, /required option '--paper <id>'/],
  ])('%s: exit %d', async (args, code, message) => {
    const result = await inProcess(args);
    expect(result.code).toBe(code);
    expect(code === 0 ? result.out : result.err).toMatch(message);
    if (code !== 0) expect(result.out).toBe('');
  });

  test('ends the process with that code, and prints no stack', async () => {
    const result = await paperboy('rank --papers @bad-papers.jsonl --profiles @profiles.jsonl');
    expect(result).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('bad-papers.jsonl:3: not JSON'),
    });
    expect(result.err).not.toMatch(/\n\s+at /);
  });
});

describe('paperboy why', () => {
  const environment = () => ({
    DATABASE_URL: db.url,
    SMTP_URL: 'smtp://127.0.0.1:9',
    SECRET: 'a secret for tests, of thirty-two characters',
  });
  const why = async (email: string, paper: string, more = ''): Promise<string[]> => {
    const { out, err } = await inProcess(`why --email ${email} --paper ${paper}${more}`, environment());
    return `${out}${err}`.trimEnd().split('\n');
  };

  test('says what became of a paper for a reader, with every kind of reason', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const rows = [
      ...Array.from({ length: 14 }, (_, at) => ({
        id: `2606.001${at + 10}`,
        title: `Sheep number ${at} and the meadow`,
        abstract: `Wool, shepherds, and ${at} reasons.`,
        authors: [at === 13 ? 'Grace Hopper' : 'Ada Lovelace'],
        upvotes: at,
      })),
      {
        id: '2606.00200',
        title: 'Engines that roar',
        abstract: 'Fuel and pistons.',
        authors: ['Alan Turing'],
      },
    ];
    await writeFile(
      join(folder, 'today.jsonl'),
      lines(rows.map((row) => ({ ...row, source: 'arxiv', listed: today }))),
    );
    expect(await paperboy('ingest jsonl @today.jsonl', environment())).toMatchObject({ code: 0 });
    const add =
      'subscriber add --email ada@example.org --follow query:title:sheep --follow trending: --mute author:Grace_Hopper';
    expect(await paperboy(add, environment())).toMatchObject({ code: 0 });
    await sql`update subscribers set papers_per_digest = 3, fill_with_trending = false`.execute(db.database);
    await sql`update topics set value = 'Grace Hopper' where kind = 'author'`.execute(db.database);
    const { rows: readers } = await sql<{ id: number }>`select id from subscribers`.execute(db.database);
    const reader = readers[0]?.id;
    const idOf = sql`(select id from papers where arxiv_id = '2606.00110')`;
    const mark = (verdict: string, paper: string) =>
      sql`insert into feedback (subscriber_id, paper_id, verdict)
          select ${reader}, id, ${verdict} from papers where arxiv_id = ${paper}`.execute(db.database);

    expect(await why('ada@example.org', '2606.00122')).toEqual([
      'Sheep number 12 and the meadow',
      'Chosen, at place 1.',
      expect.stringMatching(/^score \d\.\d+, the sum of:$/),
      expect.stringMatching(/follows title:sheep: Sheep/),
      expect.stringMatching(/trending$/),
    ]);
    expect(await why('ada@example.org', 'https://arxiv.org/abs/2606.00123v2')).toContain(
      'Muted: Grace Hopper.',
    );
    expect(await why('ada@example.org', '2606.00110')).toContainEqual(
      expect.stringMatching(/^Not chosen: by score it is number \d+ of the \d+ papers that match\.$/),
    );
    await sql`delete from follows using topics where topics.id = topic_id and kind = 'trending'`.execute(
      db.database,
    );
    expect(await why('ada@example.org', '2606.00200')).toContain(
      'It matches nothing that the reader follows or liked.',
    );
    const json = JSON.parse((await why('ADA@example.org', '2606.00122', ' --json'))[0] ?? '');
    expect(json).toMatchObject({ paper: 'arxiv:2606.00122', type: 'chosen', place: expect.any(Number) });
    const { reasons, score } = json.choice as { reasons: { weight: number }[]; score: number };
    expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBe(score);

    await mark('more', '2606.00122');
    expect(await why('ada@example.org', '2606.00122')).toContain(
      'The reader said “more like this” of it, so that it does not come again.',
    );
    expect((await why('ada@example.org', '2606.00121')).join('\n')).toContain(
      'likes papers such as “Sheep number 12 and the meadow”',
    );
    await sql`update subscribers set reminders = true`.execute(db.database);
    await mark('not_now', '2606.00120');
    expect(await why('ada@example.org', '2606.00120')).toContain(
      'The reader said “not now” of it, and is reminded of it once.',
    );
    await sql`
      insert into digests (edition_date, subscriber_id, state, paper_ids, slot_at, due_at, deadline)
      values (${today}, ${reader}, 'sent', array[${idOf}], now(), now(), now())`.execute(db.database);
    expect(await why('ada@example.org', '2606.00110')).toContain('It was in a digest of this reader before.');
    await sql`update listings set listed_on = '2020-01-01'`.execute(db.database);
    await sql`update papers set updated_at = now()`.execute(db.database);
    expect(await why('ada@example.org', '2606.00111')).toContain(
      "It is not among the papers of today's edition.",
    );
  });

  test.each([
    ['nobody@example.org', '2606.00110', 'Nobody is subscribed as nobody@example.org.'],
    ['ada@example.org', '1701.00001', 'No paper is known as arxiv:1701.00001.'],
    ['ada@example.org', 'what', '"what" names no paper'],
  ])('of %s and %s is a clear error', async (email, paper, message) => {
    const result = await inProcess(`why --email ${email} --paper ${paper}`, environment());
    expect(result).toMatchObject({ code: 1, out: '', err: expect.stringContaining(message) });
  });
});
