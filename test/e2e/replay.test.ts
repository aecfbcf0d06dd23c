import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '#test/support/wait.ts';

const READERS = 60;
const DAYS = ['2026-03-27', '2026-03-28', '2026-03-29'];
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'America/St_Johns',
];
/**
 * Digests due. In Berlin the clocks go forward in these 72 hours, which there are 73 on the clock: the three readers with
 * hour 1 have a fourth 1 o'clock in them.
 */
const DUE = READERS * DAYS.length + 3;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paperboy-replay-'));
  await mkdir(join(folder, 'arxiv'));
  for (const [day, date] of DAYS.entries()) {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      id: `2603.${String(10_000 + day * 40 + i)}`,
      categories: ['cs.CL'],
      authors: ['Ada Author'],
      title: `Paper ${i} of day ${day} on made-up matters`,
      comment: null,
      summary: `This is paper ${i}. It reports nothing, since it was made up for a test of the replay.`,
    }));
    await writeFile(
      join(folder, 'arxiv', `${date}.jsonl`),
      rows.map((row) => JSON.stringify(row)).join('\n'),
    );
  }
  const readers = Array.from({ length: READERS }, (_, i) =>
    JSON.stringify({
      email: `reader${i}@example.org`,
      timezone: ZONES[i % ZONES.length],
      hour: i % 24,
      follows: [{ kind: 'query', value: 'matters' }],
    }),
  );
  await writeFile(join(folder, 'readers.jsonl'), readers.join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(out: string) {
  const [from = '', to = ''] = [DAYS[0], DAYS.at(-1)];
  const args = [
    '--arxiv',
    join(folder, 'arxiv'),
    '--from',
    from,
    '--to',
    to,
    '--subscribers',
    join(folder, 'readers.jsonl'),
  ];
  const child = spawn(process.execPath, ['src/main.ts', 'replay', ...args, '--out', join(folder, out)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Vite sets a BASE_URL of its own.
    env: { ...process.env, BASE_URL: '' },
  });
  const summary = text(child.stdout);
  return {
    child,
    finished: once(child, 'exit').then(async ([code]) => ({
      code,
      summary: JSON.parse((await summary) || 'null'),
    })),
  };
}

const mails = (out: string): Promise<string[]> => readdir(join(folder, out, 'mail')).catch(() => []);

/** Every mail's file name with a hash of its content. */
async function contents(out: string): Promise<string[]> {
  const names = (await mails(out)).sort();
  const hashes = names.map(async (name) => {
    const raw = await readFile(join(folder, out, 'mail', name));
    return `${name} ${createHash('sha256').update(raw).digest('hex')}`;
  });
  return Promise.all(hashes);
}

test('a replay writes one mail a reader and day, the same to the byte when done again, and goes on where it was killed', async () => {
  const first = start('first');
  const { code, summary } = await first.finished;
  expect(code).toBe(0);
  expect(summary).toMatchObject({
    subscribers: READERS,
    sent: DUE,
    repeats: 0,
    open: 0,
    messagesRepeated: 0,
    ambiguous: [],
  });
  expect(await mails('first')).toHaveLength(DUE);

  const killed = start('second');
  await waitFor(
    'some mails of the run that is killed',
    async () => (await mails('second')).length > 20,
    60_000,
  );
  killed.child.kill('SIGKILL');
  await killed.finished;
  const again = await start('second').finished;
  expect(again.summary).toMatchObject({ sent: DUE, repeats: 0, open: 0 });
  // Only what was in flight may have come twice, and all of that is reported.
  expect(again.summary.messagesRepeated).toBeLessThanOrEqual(again.summary.ambiguous.length);
  // The same digests of the same readers. (Not to the byte: votes and coverage are as of when a mail was composed.)
  const names = (await mails('second')).filter((name) => !name.includes('~'));
  expect(names.sort()).toEqual((await mails('first')).sort());

  expect((await start('third').finished).code).toBe(0);
  expect(await contents('third')).toEqual(await contents('first'));
}, 120_000);
