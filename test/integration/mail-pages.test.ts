import { afterAll, beforeAll, expect, test } from 'vitest';
import { previewMessages } from '#src/mail/preview/messages.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { NOW, sender } from '#test/support/mail-samples.ts';
import { createTestWeb } from '#test/support/web.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.destroy());

test('beside the local mailbox a page shows every mail, its HTML, its text and its source', async () => {
  const mailPreviews = () => previewMessages({ sender, now: () => NOW });
  const { app } = await createTestWeb(db.database, { deps: { mailPreviews } });
  const index = await app.inject('/mails');
  expect(index.statusCode).toBe(200);
  const links = [...index.body.matchAll(/href="([^"]+)"/g)].map(([, link]) => link as string);
  expect(links).toContain('/mails/digest-daily.fr.html');
  const get = async (link: string) => {
    const { statusCode, headers, body } = await app.inject(link);
    return [statusCode, headers['content-type'], body] as const;
  };
  expect(await get('/mails/confirm.de.html')).toEqual([
    200,
    'text/html; charset=utf-8',
    expect.stringContaining('<html lang="de"'),
  ]);
  expect(await get('/mails/confirm.de.txt')).toEqual([
    200,
    'text/plain; charset=utf-8',
    expect.stringContaining('Ein Klick'),
  ]);
  expect(await get('/mails/confirm.de.eml')).toEqual([
    200,
    'text/plain; charset=us-ascii',
    expect.stringMatching(/^Date: /),
  ]);
  for (const absent of ['/mails/confirm.de.exe', '/mails/confirm.xx.html', '/mails/..%2f..%2fetc'])
    expect((await app.inject(absent)).statusCode, absent).toBe(404);
  await app.close();
});

test('where mails leave the machine there is no such page', async () => {
  const { app } = await createTestWeb(db.database);
  expect((await app.inject('/mails')).statusCode).toBe(404);
  await app.close();
});
