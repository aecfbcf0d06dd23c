import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formFields } from '#test/support/form.ts';
import { type ReceivedMail, startTestService, type TestService } from '#test/support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const post = (url: string, fields: Record<string, string> | FormData = {}) =>
  fetch(url, {
    method: 'POST',
    body: fields instanceof FormData ? fields : new URLSearchParams(fields),
    redirect: 'manual',
  });
const subscribe = (email: string) => post(`${service.url}/subscribe`, { email });

const linkIn = (mail: ReceivedMail | undefined, path: string): string => {
  const found = new RegExp(`${service.url}/${path}/[^\\s"<>)]+`).exec(`${mail?.text} ${mail?.html}`);
  if (!found) throw new Error(`no ${path} link in: ${mail?.text}`);
  return found[0];
};

describe('from an address to a daily digest and out again', () => {
  let preferences: string;
  let digest: ReceivedMail;

  test('asking for a subscription mails a confirmation, and nothing else', async () => {
    const answer = await subscribe('ada@example.org');
    expect(answer.status).toBe(303);
    const [mail] = await service.waitForMails('ada@example.org', 1);
    const stored = await service.db.database.selectFrom('subscribers').select('state').execute();
    expect(stored).toEqual([{ state: 'pending' }]);
    expect(linkIn(mail, 'confirm')).toMatch(/\/confirm\/[\w-]{43}$/);
    expect(mail?.headers.some(({ key }) => key === 'list-unsubscribe')).toBe(false);
  });

  test('GET confirms nothing; the button does, once', async () => {
    const [mail] = await service.waitForMails('ada@example.org', 1);
    const link = linkIn(mail, 'confirm');
    for (let i = 0; i < 3; i++) expect((await fetch(link)).status).toBe(200);
    const state = () => service.db.database.selectFrom('subscribers').select('state').executeTakeFirst();
    expect(await state()).toEqual({ state: 'pending' });
    const confirmed = await post(link, { timezone: 'Europe/Berlin' });
    expect(confirmed.status).toBe(303);
    preferences = new URL(confirmed.headers.get('location') ?? '', service.url).href;
    expect(await state()).toEqual({ state: 'active' });
    expect((await post(link)).status).toBeGreaterThanOrEqual(400);
  });

  test('choosing topics sends the first digest at once, with its reasons', async () => {
    const fields = formFields(await (await fetch(preferences)).text(), '/preferences/');
    fields.set('queries', 'language models');
    fields.set('hour', '7');
    const saved = await fetch(preferences.replace(/\?.*/, ''), {
      method: 'POST',
      body: fields,
      redirect: 'manual',
    });
    expect(saved.status, await saved.text()).toBe(303);
    const mails = await service.waitForMails('ada@example.org', 2);
    digest = mails.find((mail) => mail.headers.some(({ key }) => key === 'list-unsubscribe')) as ReceivedMail;
    expect(digest.text).toMatch(/language models?/i);
    const rows = () => service.db.database.selectFrom('digests').select(['kind', 'state']).execute();
    // The mail is there a moment before its reply is recorded.
    await expect.poll(rows).toEqual([{ kind: 'welcome', state: 'sent' }]);
  });

  test('feedback and view links open pages and change nothing by themselves', async () => {
    for (const path of ['feedback', 'preferences', 'unsubscribe', 'pause']) {
      const answer = await fetch(linkIn(digest, path));
      expect(answer.status, path).toBe(200);
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    }
    expect(await service.db.database.selectFrom('feedback').selectAll().execute()).toEqual([]);
    await post(linkIn(digest, 'feedback'));
    expect(await service.db.database.selectFrom('feedback').selectAll().execute()).toHaveLength(1);
  });

  test('one click leaves: POST, no redirect, urlencoded or multipart, as often as it likes', async () => {
    const header = digest.headers.find(({ key }) => key === 'list-unsubscribe')?.value ?? '';
    const url = /<(https?:[^>]+)>/.exec(header)?.[1] ?? '';
    const form = new FormData();
    form.set('List-Unsubscribe', 'One-Click');
    for (const body of [{ 'List-Unsubscribe': 'One-Click' }, form, { 'List-Unsubscribe': 'One-Click' }]) {
      const answer = await post(url, body);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    const stored = await service.db.database.selectFrom('subscribers').select('state').executeTakeFirst();
    expect(stored).toEqual({ state: 'unsubscribed' });
    // the confirmation, the digest, one goodbye
    expect(await service.waitForMails('ada@example.org', 3)).toHaveLength(3);
  });
});

test('whatever the address, the answer is the same', async () => {
  const answers = await Promise.all(['ada@example.org', 'new@example.org', 'new@example.org'].map(subscribe));
  const seen = await Promise.all(
    answers.map(async (answer) => [answer.status, answer.headers.get('location'), await answer.text()]),
  );
  expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
});

test.each([
  '',
  'no address',
  'a@b@c',
  'x@example.org\r\nBcc: y@example.org',
  `${'x'.repeat(400)}@example.org`,
])('a bad address gets a clear 4xx page: %j', async (email) => {
  const answer = await subscribe(email);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(await answer.text()).toMatch(/address|email/);
});
