import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmlSink, startEmlSink } from '#src/mail/eml-sink.ts';
import { PREVIEW_COUNT } from '#src/mail/preview/messages.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let folder: string;
let db: TestDatabase;
let sink: EmlSink;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paperboy-mail-'));
  db = await createTestDatabase();
  sink = await startEmlSink(join(folder, 'sent'));
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
});

afterAll(async () => {
  await sink.close();
  await db.destroy();
  await rm(folder, { recursive: true, force: true });
});

type Result = { readonly code: number; readonly out: string; readonly err: string };
function paperboy(args: readonly string[], environment: Record<string, string> = {}): Promise<Result> {
  const env = { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, ['src/main.ts', 'mail', ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

const RELAYED = (): Record<string, string> => ({
  DATABASE_URL: db.url,
  SMTP_URL: sink.url,
  BASE_URL: 'https://bücher.example',
  MAIL_FROM: 'Paperboy <digest@bücher.example>',
  POSTAL_ADDRESS: '1 Example Street',
  DKIM_KEYS: `bücher.example:s1:${join(folder, 'key.pem')}`,
});

describe('mail preview', () => {
  test('writes every message, and as JSON what it wrote', async () => {
    const out = join(folder, 'preview');
    const { code, out: json } = await paperboy(['preview', '--out', out, '--no-screenshots', '--json']);
    expect(code).toBe(0);
    const entries = JSON.parse(json) as { name: string; language: string; files: string[] }[];
    expect(entries.length).toBe(PREVIEW_COUNT);
    const files = await readdir(out);
    expect(files.toSorted()).toEqual([...entries.flatMap((entry) => entry.files), 'index.html'].toSorted());
    expect(await readFile(join(out, 'confirm.de.txt'), 'utf8')).toContain('Ein Klick, und Sie sind dabei');
    const mail = await PostalMime.parse(await readFile(join(out, 'digest-daily.ja.eml')));
    expect(mail.headers.find(({ key }) => key === 'content-language')?.value).toBe('ja');
  });

  test('says what is wrong with where it should write, or with a key', async () => {
    const nowhere = await paperboy(['preview', '--out', join(folder, 'key.pem', 'x'), '--no-screenshots']);
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining("can't be written to")]);
    const keyless = await paperboy(['preview', '--out', folder, '--no-screenshots'], {
      DKIM_KEYS: 'a.example:s1:/nowhere',
    });
    expect([keyless.code, keyless.err]).toEqual([2, expect.stringContaining('DKIM_KEYS: ENOENT')]);
  });
});

describe('mail dkim', () => {
  test('prints the records to publish', async () => {
    const { code, out } = await paperboy(['dkim', '--json'], RELAYED());
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        name: 's1._domainkey.xn--bcher-kva.example',
        type: 'TXT',
        value: expect.stringMatching(/^v=DKIM1; k=ed25519; p=[\w+/]{43}=$/),
        signs: true,
        published: 'not asked',
      },
    ]);
  });
});

describe('mail inbound', () => {
  test('says what came in; a database out of reach is a reason to try again, not to bounce the bounce', async () => {
    const file = join(folder, 'inbound.eml');
    await writeFile(file, 'From: a@example.org\r\nSubject: Out of office\r\n\r\nback soon\r\n');
    const args = ['inbound', '--file', file, '--json'];
    const note = await paperboy(args, RELAYED());
    expect([note.code, JSON.parse(note.out)]).toEqual([0, { type: 'auto-reply', did: 'noted' }]);
    const later = await paperboy(args, { ...RELAYED(), DATABASE_URL: 'postgres://u@127.0.0.1:9/x' });
    expect([later.code, later.err]).toEqual([75, expect.stringContaining('to be tried again')]);
  });
});

describe('mail test', () => {
  test('goes the way of a digest: signed, to the relay, from names in any script', async () => {
    const { code, out } = await paperboy(
      ['test', '--to', 'reader@example.org', '--language', 'fr', '--json'],
      RELAYED(),
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: 'accepted', signed: true });
    const [file = ''] = await readdir(sink.directory);
    const mail = await PostalMime.parse(await readFile(join(sink.directory, file)));
    expect(mail.subject).toBe('Un message d’essai de Paperboy');
    expect(mail.from?.address).toBe('digest@xn--bcher-kva.example');
    expect(mail.headers.map(({ key }) => key)).toContain('dkim-signature');
  });

  test('a relay out of reach is said so, with exit code 1', async () => {
    const { code, out } = await paperboy(['test', '--to', 'reader@example.org'], {
      ...RELAYED(),
      SMTP_URL: 'smtp://127.0.0.1:9',
    });
    expect(code).toBe(1);
    expect(out).toContain('deferred: ');
  });
});
