import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { startFaultServer } from '#test/support/papers-fault-server.ts';

let folder: string;
let db: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paperboy-cli-'));
  db = await createTestDatabase();
});
afterAll(async () => {
  await db.destroy();
  await rm(folder, { recursive: true, force: true });
});

type Result = { code: number; out: string; err: string };
function paperboy(args: readonly string[], environment: Record<string, string> = {}): Promise<Result> {
  const env = { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, ['src/main.ts', ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}
/** With the file's own database, as beside a running service. */
const onDatabase = (...args: string[]) =>
  paperboy(args, { DATABASE_URL: db.url, SMTP_URL: 'smtp://127.0.0.1:9' });

const PAGE = `new

Get trending papers in your email inbox!

Subscribe

byAK and the research community

Mar 11

On the Making of Test Pages

We make a page up for a test. It has one paper in it, with a summary long enough to pass for one: it speaks of <tags>, of 5 % and of {braces}, and ends with a full stop as summaries do.`;

describe('every command explains itself', () => {
  const commands = [
    [],
    ['start'],
    ['api'],
    ['worker'],
    ['migrate'],
    ['config'],
    ['doctor'],
    ['ingest'],
    ['subscriber'],
    ['subscriber', 'add'],
    ['digest'],
    ['digest', 'preview'],
    ['digest', 'send'],
    ['plan'],
    ['replay'],
  ];
  test('--version prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await paperboy(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test('--help exits 0 and shows how it is used', async () => {
    for (const half of [commands.slice(0, 7), commands.slice(7)]) {
      const results = await Promise.all(half.map((command) => paperboy([...command, '--help'])));
      for (const [i, { code, out }] of results.entries()) {
        expect(code, half[i]?.join(' ')).toBe(0);
        expect(out).toContain(`Usage: paperboy ${half[i]?.join(' ')}`.trimEnd());
      }
    }
  });
});

describe('mistakes get a clear message and an exit code', () => {
  test.each([
    [['frobnicate'], {}, 2, /unknown command 'frobnicate'/],
    [['config'], { PORT: 'eighty' }, 2, /PORT is "eighty": expected a whole number/],
    [['api'], {}, 2, /DATABASE_URL is not set: .*postgres:\/\//],
    [['worker'], {}, 2, /SMTP_URL is not set: .*smtp:\/\//],
    [['ingest', 'nowhere', '--dry-run'], {}, 1, /no source "nowhere"; there are: /],
    [['ingest', 'page', 'no-such-file.txt', '--dry-run'], {}, 1, /no file or folder no-such-file.txt/],
    [['start'], { DATA_DIR: 'package.json' }, 2, /DATA_DIR is ".*package\.json": it can't be written to/],
    [
      ['start'],
      { DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x' },
      2,
      /DATABASE_URL is ".*\*{8}@127.0.0.1:1\/x": .*ECONNREFUSED/,
    ],
    [
      ['start'],
      { REDIS_URL: 'redis://127.0.0.1:1' },
      2,
      /REDIS_URL is "redis:\/\/127.0.0.1:1": .*ECONNREFUSED/,
    ],
    [['plan', '--now', 'tomorrow'], {}, 2, /expected an instant/],
    [['ingest', 'arxiv', '--from', '2026-02-30'], {}, 2, /not a calendar date/],
    [['ingest', 'huggingface', '--week', '2026-23'], {}, 2, /Expected an ISO week such as 2026-W23/],
    [['ingest', 'arxiv', '--month', '2026-06'], {}, 1, /--week and --month are for the source huggingface/],
    [['ingest', 'arxiv', '--query', 'cat:cs.CL', '--limit', '0'], {}, 2, /whole number from 1 to 30000/],
    [['replay', '--from', '2026-06-01'], {}, 2, /required option/],
  ])('%j', async (args, environment, code, message) => {
    const result = await paperboy(args as string[], environment);
    expect(result).toMatchObject({ code });
    expect(result.err).toMatch(message);
    expect(result.err).not.toMatch(/\n\s+at /);
  });
});

test('doctor ends with 0 on a trial that was never started, with 2 and the fault when a setting is wrong', async () => {
  const trial = await paperboy(['doctor', '--offline'], { DATA_DIR: join(folder, 'trial') });
  expect(trial).toMatchObject({ code: 0, out: expect.stringMatching(/^warning +database +.*not made yet/m) });
  const faulty = await paperboy(['doctor', '--json'], { PORT: 'eighty' });
  expect(faulty.code).toBe(2);
  expect(JSON.parse(faulty.out)).toMatchObject({
    failed: 1,
    findings: [
      { check: 'configuration', state: 'failed', seen: expect.stringContaining('PORT is "eighty"') },
    ],
  });
});

test('ingest names file and line of an unknown layout, and a dry run stores nothing', async () => {
  const good = join(folder, 'page.txt');
  const bad = join(folder, 'bad.txt');
  await writeFile(good, PAGE);
  await writeFile(bad, 'Some other page\n\nwith other things in it');
  const dry = await paperboy(['ingest', 'page', good, '--dry-run', '--json']);
  expect(JSON.parse(dry.out)).toMatchObject({ listings: 1, papers: 1, faults: [] });
  const faulty = await paperboy(['ingest', 'page', bad, '--dry-run']);
  expect(faulty.code).toBe(1);
  expect(faulty.out).toMatch(/bad\.txt:1\s+unknown layout/);
});

test('a dry run over several requests of a mirror ends with its report; nowhere else is asked', async () => {
  const preprints = (from: number) =>
    Array.from({ length: 2 }, (_, n) => ({
      doi: `10.1101/${from + n}`,
      title: `Preprint ${from + n}`,
      date: '2026-06-02',
      server: 'biorxiv',
    }));
  const part = (cursor: number) =>
    JSON.stringify({ messages: [{ status: 'ok', total: '4' }], collection: preprints(cursor) });
  const interval = '/mirror/details/biorxiv/2026-06-02/2026-06-02';
  const mirror = await startFaultServer({
    [`${interval}/0/json`]: (_, response) => response.end(part(0)),
    [`${interval}/2/json`]: (_, response) => response.end(part(2)),
    '/mirror/details/medrxiv/2026-06-02/2026-06-02/0/json': (_, response) =>
      response.writeHead(302, { location: 'http://localhost:9/' }).end(),
  });
  const dry = (source: string) =>
    paperboy(['ingest', source, '--from', '2026-06-02', '--to', '2026-06-02', '--dry-run', '--json'], {
      BIORXIV_URL: `${mirror.origin}/mirror/`,
    });
  try {
    const well = await dry('biorxiv');
    expect(well).toMatchObject({ code: 0 });
    expect(JSON.parse(well.out)).toMatchObject({ listings: 4, papers: 4, faults: [] });
    const led = await dry('medrxiv');
    expect(led).toMatchObject({ code: 1 });
    expect(led.out).toContain('a redirect to another site is not followed');
  } finally {
    await mirror.close();
  }
});

test('papers, a subscriber, a preview and its HTML, from the command line', async () => {
  await writeFile(join(folder, 'one.txt'), PAGE);
  expect(await onDatabase('ingest', 'sample', '--json')).toMatchObject({ code: 0 });
  const added = await onDatabase(
    'subscriber',
    'add',
    '--email',
    'ada@example.org',
    '--timezone',
    'Europe/Berlin',
    '--follow',
    'query:language models',
    '--json',
  );
  expect(JSON.parse(added.out)).toMatchObject({ added: [{ email: 'ada@example.org' }], faults: [] });
  const [again, show, list, preview] = await Promise.all([
    onDatabase('subscriber', 'add', '--email', 'ada@example.org', '--json'),
    onDatabase('subscriber', 'show', '--email', 'ADA@example.org', '--json'),
    onDatabase('subscriber', 'list'),
    onDatabase(
      'digest',
      'preview',
      '--email',
      'ada@example.org',
      '--html',
      join(folder, 'digest.html'),
      '--json',
    ),
  ]);
  expect(again).toMatchObject({ code: 1 });
  expect(JSON.parse(show.out)).toMatchObject({
    state: 'active',
    timezone: 'Europe/Berlin',
    follows: [{ kind: 'query', value: 'language models' }],
  });
  expect(list.out).toMatch(/ada@example\.org\s+active\s+daily\s+7\s+Europe\/Berlin/);
  const shown = JSON.parse(preview.out);
  expect(shown.papers).toHaveLength(10);
  expect(shown.papers[0].why[0]).toMatch(/^follows language models/);
  expect(await readFile(join(folder, 'digest.html'), 'utf8')).toMatch(/^<!doctype html>/i);
  const removed = await onDatabase('subscriber', 'remove', '--email', 'ada@example.org');
  expect(removed).toMatchObject({ code: 0 });
  expect((await onDatabase('digest', 'preview', '--email', 'ada@example.org')).err).toMatch(
    /is unsubscribed/,
  );
});

test('a database without the schema is refused with the command that mends it', async () => {
  const url = new URL(db.url);
  url.pathname = '/postgres';
  const result = await paperboy(['subscriber', 'list'], { DATABASE_URL: url.href });
  expect(result.code).toBe(1);
  expect(result.err).toMatch(/run `paperboy migrate` first/);
});
