import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DigestId, isoDate, type NoticeId } from '#src/database/ids.ts';
import type { ClaimedDigest } from '#src/digests/digest.ts';
import { openJournals } from '#src/digests/journal.ts';
import type { DigestResult } from '#src/digests/ledger.ts';
import { isGone, isSameBoot, thisProcess } from '#src/digests/process-identity.ts';
import { giveSignOfLife } from '#src/digests/sign-of-life.ts';
import { waitFor } from '#test/support/wait.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'paperboy-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const editionDate = isoDate('2026-06-10');
const row = (id: number) => ({ id, editionDate, leaseToken: 7 }) as unknown as ClaimedDigest;
const rows = [11, 12, 13, 14].map(row);
const sent = (id: number): DigestResult => ({
  id: id as DigestId,
  editionDate,
  leaseToken: 7,
  state: 'sent',
  reply: '250 2.0.0 Ok: queued',
});
/** Pretends that the process that wrote the journals is another one. */
function disguise(change: object) {
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.journal')) continue;
    const file = join(directory, name);
    const [head = '', ...rest] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [JSON.stringify({ ...JSON.parse(head), ...change }), ...rest].join('\n'));
  }
}

describe('a journal', () => {
  test('goes away when all is recorded', () => {
    const journal = openJournals({ directory }).open(rows);
    journal.begin(11 as DigestId);
    journal.end(sent(11));
    journal.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('that has no space is none: it says so and leaves nothing behind', () => {
    symlinkSync('/dev/full', join(directory, `7-${process.pid}.journal`));
    expect(() => openJournals({ directory }).open(rows)).toThrow(/ENOSPC/);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of a live process is nobody’s business', async () => {
    openJournals({ directory })
      .open(rows)
      .begin(11 as DigestId);
    expect(await openJournals({ directory }).leftovers()).toEqual([]);
  });

  test('of a killed process tells what was begun, what ended how, and nothing of the rest', async () => {
    const journals = openJournals({ directory });
    const journal = journals.open(rows);
    const dueAt = new Date('2026-06-10T13:00:00Z');
    const deferred: DigestResult = {
      ...sent(12),
      state: 'deferred',
      reply: '450 später\r\n noch einmal',
      dueAt,
    };
    journal.begin(11 as DigestId);
    journal.begin(12 as DigestId);
    journal.end(sent(11));
    journal.end(deferred);
    journal.begin(13 as DigestId);
    disguise({ pid: 2 ** 22 - 1, started: '1' });
    const [leftover] = await journals.leftovers();
    expect(leftover).toMatchObject({ editionDate, leaseToken: 7, from: 11, to: 14, begun: [13] });
    expect(leftover?.results).toEqual([sent(11), { ...deferred, reply: '450 später noch einmal' }]);
    if (leftover) await journals.remove(leftover);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('whose last end was cut off leaves that row in doubt', async () => {
    const journals = openJournals({ directory });
    journals.open(rows).begin(11 as DigestId);
    appendFileSync(join(directory, readdirSync(directory)[0] ?? ''), 'E 11 sent - 250 2.0');
    disguise({ pid: 2 ** 22 - 1, started: '1' });
    expect((await journals.leftovers())[0]).toMatchObject({ begun: [11], results: [] });
  });

  test('keeps in doubt what one relay refused and another was given', async () => {
    const journals = openJournals({ directory });
    const journal = journals.open(rows);
    const refused = (id: number): DigestResult => ({
      id: id as DigestId,
      editionDate,
      leaseToken: 7,
      state: 'planned',
    });
    for (const id of [11, 12]) {
      journal.begin(id as DigestId);
      journal.end(refused(id));
    }
    journal.begin(11 as DigestId);
    journal.abandon();
    const [leftover] = await journals.leftovers();
    expect(leftover?.begun).toEqual([11]);
    expect(leftover?.results.map(({ id, state }) => ({ id, state }))).toEqual([{ id: 12, state: 'planned' }]);
  });

  test('keeps in doubt what ended unknown', async () => {
    const journals = openJournals({ directory });
    const journal = journals.open(rows);
    journal.begin(11 as DigestId);
    journal.end({ ...sent(11), state: 'unknown', reply: 'lost' } as DigestResult);
    journal.abandon();
    expect(await journals.leftovers()).toMatchObject([
      { begun: [11], results: [{ id: 11, state: 'unknown', reply: 'lost' }] },
    ]);
  });

  test('given up by a live process is a leftover too', async () => {
    const journals = openJournals({ directory });
    const journal = journals.open(rows);
    journal.begin(11 as DigestId);
    journal.abandon();
    expect(await journals.leftovers()).toMatchObject([{ begun: [11] }]);
  });

  test('of before a restart of the machine may lack its end: it is not believed', async () => {
    const journals = openJournals({ directory });
    journals.open(rows).begin(11 as DigestId);
    disguise({ boot: 'another boot', pid: 1 });
    expect(await journals.leftovers()).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of another container is left to its lease', async () => {
    const journals = openJournals({ directory });
    journals.open(rows).begin(11 as DigestId);
    disguise({ pidNamespace: 'pid:[1]', host: 'other', pid: 2 ** 22 - 1 });
    expect(await journals.leftovers()).toEqual([]);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  test('of another container tells whether its process lives by its sign of life', async () => {
    const alive = join(directory, 'alive');
    const here = openJournals({ directory, signs: giveSignOfLife(alive) });
    // A process of its own that begins a message and waits: number and start mean nothing to us.
    const script = `
      import { openJournals } from '#src/digests/journal.ts';
      import { giveSignOfLife } from '#src/digests/sign-of-life.ts';
      const signs = giveSignOfLife(process.argv[1]);
      while (!signs.own()) await new Promise((resolve) => setImmediate(resolve));
      const rows = [{ id: 11, editionDate: '2026-06-10', leaseToken: 7 }];
      openJournals({ directory: process.argv[2], signs }).open(rows).begin(11);
      console.log('begun');
      setInterval(() => undefined, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script, alive, directory]);
    await new Promise((resolve) => other.stdout.once('data', resolve));
    disguise({ pidNamespace: 'pid:[1]' });
    expect(await here.leftovers()).toEqual([]);
    const ended = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await ended;
    const [leftover] = await here.leftovers();
    expect(leftover).toMatchObject({ begun: [11] });
    // The file of the dead goes with its last journal, our own stays.
    expect(readdirSync(alive)).toHaveLength(2);
    if (leftover) await here.remove(leftover);
    expect(await here.leftovers()).toEqual([]);
    expect(readdirSync(alive)).toHaveLength(1);
  });

  test('names no sign of life where sockets can’t be made', async () => {
    const signs = giveSignOfLife(join(directory, 'x'.repeat(120)));
    openJournals({ directory, signs }).open(rows);
    expect(signs.own()).toBeUndefined();
    expect(await openJournals({ directory, signs }).leftovers()).toEqual([]);
  });

  test('has the ends of all claims written before anything more of one goes on the wire', () => {
    const journals = openJournals({ directory });
    const one = journals.open(rows);
    one.begin(11 as DigestId);
    one.end(sent(11));
    // The same connection takes a message of another claim in the same turn.
    journals.open([{ ...row(21), leaseToken: 8 }]).begin(21 as DigestId);
    expect(readFileSync(join(directory, `7-${process.pid}.journal`), 'utf8')).toContain('\nE 11 sent');
  });

  test('is begun in a folder made anew when somebody removed it, and ends where its file is gone', async () => {
    const journals = openJournals({ directory });
    const journal = journals.open(rows);
    rmSync(directory, { recursive: true });
    expect(await journals.leftovers()).toEqual([]);
    journal.begin(11 as DigestId);
    journal.end(sent(11));
    journal.close();
    journal.abandon();
    journals.open([{ ...row(21), leaseToken: 8 }]).close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('that is damaged stops nobody', async () => {
    writeFileSync(join(directory, '1-1.journal'), '{"half');
    writeFileSync(join(directory, '2-1.journal'), 'no json\nB 1\n');
    writeFileSync(join(directory, '3-1.journal'), 'null\nB 1\n');
    const header = { ...thisProcess(), pid: 2 ** 22 - 1, started: '1', editionDate };
    writeFileSync(join(directory, '4-1.journal'), `${JSON.stringify({ ...header, leaseToken: 'x' })}\nB 1\n`);
    writeFileSync(join(directory, '5-1.journal'), `${JSON.stringify({ ...header, leaseToken: 5 })}\nB 1\n`);
    expect(await openJournals({ directory }).leftovers()).toEqual([]);
  });

  test('with damaged lines leaves in doubt what it can’t tell, and speaks of its own rows only', async () => {
    const journals = openJournals({ directory });
    const journal = journals.open(rows);
    for (const { id } of rows) journal.begin(id);
    const lines = [
      'E 11 sent - 250 ok',
      'E 12 se\0t - 250 ok',
      'E 13 vanished - 250 ok',
      'E 14 deferred - 450 later',
      'E 14 deferred tomorrow 450 later',
      'B 999999999999999999999999',
      'E 7 sent - 250 of another',
      '\0\0\0\0',
      '',
    ];
    appendFileSync(join(directory, `7-${process.pid}.journal`), lines.join('\n'));
    journal.abandon();
    const [leftover] = await journals.leftovers();
    expect(leftover).toMatchObject({ begun: [12, 13, 14], results: [{ id: 11, state: 'sent' }] });
    expect(leftover?.results).toHaveLength(1);
  });

  test('is read when its process is known to have ended, and not before: it may have begun a message meanwhile', async () => {
    const sign = 'abc';
    const signs = {
      own: () => sign,
      // It lives while the journal is looked at first, begins a message, and is killed.
      isDead: async () => {
        appendFileSync(join(directory, `7-${process.pid}.journal`), 'B 12\n');
        return true;
      },
      tidy: async () => undefined,
    };
    const journals = openJournals({ directory, signs });
    journals.open(rows).begin(11 as DigestId);
    expect(await journals.leftovers()).toMatchObject([{ begun: [11, 12] }]);
  });

  test('that another process settles and removes meanwhile says nothing, least of all that nothing was begun', async () => {
    const signs = {
      own: () => 'abc',
      isDead: async () => {
        rmSync(join(directory, `7-${process.pid}.journal`));
        return true;
      },
      tidy: async () => undefined,
    };
    const journals = openJournals({ directory, signs });
    journals.open(rows).begin(11 as DigestId);
    expect(await journals.leftovers()).toEqual([]);
  });

  test('of another machine that shares the folder by mistake is left alone while it may be at work', async () => {
    const journals = openJournals({ directory });
    journals.open(rows).begin(11 as DigestId);
    disguise({ boot: 'its own', host: 'another' });
    expect(await journals.leftovers()).toEqual([]);
    const [name = ''] = readdirSync(directory);
    expect(name).not.toBe('');
    const weekAgo = new Date(Date.now() - 8 * 86_400_000);
    utimesSync(join(directory, name), weekAgo, weekAgo);
    expect(await journals.leftovers()).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of notices is one of its own kind', async () => {
    const journals = openJournals({ directory });
    const claims = [1, 2, 3].map((id) => ({ id: id as NoticeId, leaseToken: 9 }));
    const journal = journals.openNotices(claims);
    journal.begin(1 as NoticeId);
    journal.begin(2 as NoticeId);
    journal.end({ id: 1 as NoticeId, leaseToken: 9, state: 'sent', reply: '250 ok' });
    journal.abandon();
    expect(await journals.leftovers()).toEqual([]);
    const [leftover] = await journals.noticeLeftovers();
    expect(leftover).toMatchObject({ leaseToken: 9, begun: [2], results: [{ id: 1, state: 'sent' }] });
    if (leftover) await journals.remove(leftover);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('the identity of a process', () => {
  const here = thisProcess();
  test('this one is not gone', () => {
    expect(isGone(here)).toBe(false);
    expect(isSameBoot(here)).toBe(true);
  });
  test('a number that nobody has is gone', () => {
    expect(isGone({ ...here, pid: 2 ** 22 - 1, started: '5' })).toBe(true);
  });
  test.skipIf(here.started === '')(
    'a process that has ended is gone, though nobody has asked how it ended',
    async () => {
      // The shell starts a child and becomes a program that never waits for it.
      const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; kill -9 \\$\\$" & exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        const pid = await new Promise<number>((resolve) => {
          parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
        });
        await waitFor('a zombie', () => / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
        const started = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? '';
        expect(isGone({ ...here, pid, started })).toBe(true);
      } finally {
        parent.kill('SIGKILL');
      }
    },
  );
  test.skipIf(here.started === '')('a number that somebody else has now is gone', () => {
    expect(isGone({ ...here, pid: process.ppid, started: '5' })).toBe(true);
  });
});
