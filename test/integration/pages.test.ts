import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IsoDate } from '#src/database/ids.ts';
import { findSubscriber } from '#src/subscribers/subscriber-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { createTestWeb, hiddenField } from '#test/support/web.ts';

let db: TestDatabase;
let web: Awaited<ReturnType<typeof createTestWeb>>;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

beforeAll(async () => {
  db = await createTestDatabase();
  web = await createTestWeb(db.database, {
    deps: {
      digestHtml: async (_id, date) =>
        date === '2026-06-05' ? '<!doctype html><p style="color:red">x' : null,
    },
  });
  await web.topics.syncCatalogue();
  await web.papers.put([
    {
      source: 'test',
      listedOn: '2026-06-04' as IsoDate,
      kind: 'daily',
      section: '',
      observedAt: new Date('2026-06-04T12:00Z'),
      signals: { upvotes: 12 },
      paper: {
        sourceId: '1',
        arxivId: '2606.00001',
        title: 'A <script>alert(1)</script> title & "more"',
        abstract: 'We show (p < 0.01) that σ-models work.',
        authors: ['Ada Lovelace', 'Émilie du Châtelet'],
        categories: ['cs.CL'],
        url: 'javascript:alert(1)',
        codeUrl: 'https://code.example/x',
      },
    },
  ]);
});
afterAll(async () => {
  await web.app.close();
  await db.destroy();
});

const get = (url: string) => web.app.inject({ method: 'GET', url });
const post = (
  url: string,
  body: Record<string, string> | string = '',
  headers: Record<string, string> = {},
) =>
  web.app.inject({
    method: 'POST',
    url,
    headers: { ...FORM, ...headers },
    payload: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
  });

async function subscribe(email: string): Promise<{ location: string; token: string }> {
  const form = await get('/subscribe');
  web.clock.now = new Date(web.clock.now.getTime() + 5000);
  const asked = await post('/subscribe', {
    email,
    time: hiddenField(form.body, 'time'),
    timezone: 'Europe/Berlin',
  });
  expect([asked.statusCode, asked.headers.location]).toEqual([303, '/check-your-mail']);
  const mail = (await web.mailsTo(email)).findLast((notice) => notice.kind === 'confirm');
  if (mail?.kind !== 'confirm') throw new Error('no mail');
  const token = web.tokens.confirmation('subscribe', mail.confirmationId);
  const page = await get(`/confirm/${token}`);
  expect(page.body).toContain('Yes, send me the digest');
  const confirmed = await post(`/confirm/${token}`);
  expect(confirmed.statusCode).toBe(303);
  return { location: new URL(confirmed.headers.location as string).pathname, token };
}

async function linksOf(email: string) {
  const subscriber = await findSubscriber(db.database, { emailKey: email });
  if (!subscriber) throw new Error('no subscriber');
  const links = web.links.linksOf(subscriber);
  const path = (url: string) => url.slice('http://papers.test'.length);
  return { subscriber, links, path };
}

describe('public pages', () => {
  it('start with the form and the newest day, hostile text as text', async () => {
    const page = await get('/');
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('Get trending papers in your email inbox once a day');
    expect(page.body).toContain('Thursday, 4 June 2026');
    expect(page.body).not.toContain('<script>alert');
    expect(page.body).not.toContain('javascript:');
    expect(page.body).toContain('href="https://code.example/x"');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['referrer-policy']).toBe('no-referrer');
    expect(page.headers['set-cookie']).toBeUndefined();
    const again = await web.app.inject({
      url: '/',
      headers: { 'if-none-match': page.headers.etag as string },
    });
    expect(again.statusCode).toBe(304);
  });

  it('know days, weeks, months and their neighbours, and 404 for what is no date', async () => {
    expect((await get('/day/2026-06-05')).body).toContain('No papers were listed here');
    expect((await get('/day/2026-06-05')).body).toContain('/day/2026-06-04');
    expect((await get('/week/2026-06-05')).body).toContain('The week of Monday, 1 June 2026');
    expect((await get('/month/2026-06')).body).toContain('June 2026');
    for (const path of [
      '/day/2026-02-30',
      '/day/x',
      '/week/9999-01-01',
      '/month/2026-13',
      '/nowhere',
      '/%00',
      '/day/%ff',
    ])
      expect([path, (await get(path)).statusCode]).toEqual([path, path === '/day/%ff' ? 400 : 404]);
  });

  it('answer to the health check', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
  });
});

describe("a reader's path", () => {
  it('subscribes, confirms with a button, chooses', async () => {
    const { location, token } = await subscribe('path@example.org');
    const page = await get(`${location}?welcome=1`);
    expect(page.body).toContain('Choose what you get');
    expect(page.body).toContain('path@example.org');
    expect(page.headers['cache-control']).toBe('no-store');
    const saved = await post(location, {
      timezone: 'Asia/Tokyo',
      hour: '6',
      frequency: 'weekdays',
      weekdays: '0',
      papersPerDigest: '5',
      dial: '40',
      language: 'de',
      topics: 'speech-audio',
      categories: 'cs.CL, stat.ML',
      queries: '"latent diffusion"\nspeech -music',
      mutes: 'author: Ada Lovelace',
    });
    expect([saved.statusCode, saved.body.slice(0, 600)]).toEqual([303, '']);
    const { subscriber } = await linksOf('path@example.org');
    expect(subscriber).toMatchObject({
      timezone: 'Asia/Tokyo',
      hour: 6,
      frequency: 'weekdays',
      weekdays: 1,
      language: 'de',
    });
    const ties = await web.subscribers.followsOf(subscriber.id);
    expect(ties.follows.map((tie) => tie.value).sort()).toEqual([
      '"latent diffusion"',
      'cs.CL',
      'speech -music',
      'speech-audio',
      'stat.ML',
    ]);
    expect(ties.mutes).toHaveLength(1);
    expect((await get(location)).body).toContain('Asia/Tokyo');
    // The confirmation is used: whoever opens it again learns nothing.
    expect((await get(`/confirm/${token}`)).statusCode).toBe(410);
  });

  it('is told what is wrong in the form, keeping what was typed', async () => {
    const { location } = await subscribe('faults@example.org');
    const wrong = await post(location, {
      timezone: 'Mars/Base',
      hour: '6',
      frequency: 'daily',
      papersPerDigest: '5',
      dial: '40',
      language: 'en',
      categories: 'cs.XX',
      queries: '"unclosed',
    });
    expect(wrong.statusCode).toBe(400);
    expect(wrong.body).toContain('Mars/Base');
    expect(wrong.body).toContain('cs.XX');
    expect(wrong.body).toContain('Nothing was saved yet');
    expect((await post(location, { hour: '99' })).statusCode).toBe(400);
  });

  it('changes nothing on GET, and unsubscribes, undoes, pauses with buttons', async () => {
    await subscribe('leave@example.org');
    const { links, path } = await linksOf('leave@example.org');
    const state = async () => (await linksOf('leave@example.org')).subscriber.state;
    for (const url of [links.unsubscribe, links.pause, links.oneClick, links.preferences])
      expect((await get(path(url))).statusCode).toBeLessThan(400);
    expect(await state()).toBe('active');
    const left = await post(path(links.unsubscribe));
    expect(left.body).toContain('You are unsubscribed');
    expect(await state()).toBe('unsubscribed');
    const undo = /action="([^"]*\/undo\/[^"]*)"/.exec(left.body)?.[1] as string;
    expect((await post(undo)).statusCode).toBe(200);
    expect(await state()).toBe('active');
    expect((await post(path(links.pause), { for: 'date', until: '2020-01-01' })).statusCode).toBe(400);
    expect((await post(path(links.pause), { for: 'week' })).body).toContain(
      'Your digests come again on 2026-06-12',
    );
    expect(await state()).toBe('paused');
  });

  it('unsubscribes by one click: urlencoded, multipart or odd, again and again, without redirect or cookie', async () => {
    await subscribe('oneclick@example.org');
    const { links, path } = await linksOf('oneclick@example.org');
    const bodies = [
      ['application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click'],
      [
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--',
      ],
      ['text/plain', 'List-Unsubscribe=One-Click'],
      ['application/json', '{"broken'],
    ] as const;
    for (const [type, payload] of bodies) {
      const answer = await post(path(links.oneClick), payload, {
        'content-type': type,
        'sec-fetch-site': 'cross-site',
      });
      expect([type, answer.statusCode, answer.body]).toEqual([type, 200, 'You are unsubscribed.\n']);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const bare = await web.app.inject({ method: 'POST', url: path(links.oneClick) });
    expect(bare.statusCode).toBe(200);
    expect((await linksOf('oneclick@example.org')).subscriber.state).toBe('unsubscribed');
    const wrong = await post(path(links.preferences).replace('/preferences/', '/one-click/'));
    expect(wrong.statusCode).toBe(410);
  });

  it('gives feedback and mutes topics with a button', async () => {
    await subscribe('feedback@example.org');
    const { links, path, subscriber } = await linksOf('feedback@example.org');
    const [paper] = await db.database.selectFrom('papers').select('id').execute();
    const url = path(links.feedback(paper?.id as number, 'more'));
    expect((await get(url)).body).toContain('More like this');
    expect((await web.subscribers.feedbackOf(subscriber.id)).likes).toEqual([]);
    expect((await post(url)).statusCode).toBe(200);
    expect((await web.subscribers.feedbackOf(subscriber.id)).likes).toEqual([paper?.id]);
    expect((await get(path(links.feedback(999_999, 'less')))).statusCode).toBe(404);
    const mute = path(links.topic('author', 'Ada & "Eve" <x>', 'mute'));
    expect((await get(mute)).body).not.toContain('<x>');
    expect((await post(mute)).statusCode).toBe(200);
    expect((await web.subscribers.followsOf(subscriber.id)).mutes).toHaveLength(1);
    expect((await get(path(links.topic('nonsense', 'x', 'mute')))).statusCode).toBe(404);
  });

  it('reads a digest as a page of its own, with a policy that lets no picture in', async () => {
    await subscribe('digest@example.org');
    const { links, path } = await linksOf('digest@example.org');
    const page = await get(path(links.viewDigest('2026-06-05')));
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/);
    expect((await get(path(links.viewDigest('2026-06-06')))).statusCode).toBe(404);
    expect((await get(path(links.viewDigest('nonsense')))).statusCode).toBe(404);
  });
});

describe('safety', () => {
  it('answers every dead link with the same page', async () => {
    await subscribe('dead@example.org');
    const { links, path, subscriber } = await linksOf('dead@example.org');
    const good = path(links.preferences);
    const revoked = web.links.linksOf({ publicId: subscriber.publicId, linkEpoch: 7 });
    const unknown = web.links.linksOf({ publicId: '00000000-0000-4000-8000-000000000000', linkEpoch: 0 });
    const forged = `${good.slice(0, -1)}${good.endsWith('A') ? 'E' : 'A'}`;
    const other = path(links.pause).replace('/pause/', '/preferences/');
    const pages = await Promise.all(
      [
        path(revoked.preferences),
        path(unknown.preferences),
        forged,
        other,
        '/preferences/x',
        `/confirm/${'x'.repeat(43)}`,
      ].map(get),
    );
    expect(new Set(pages.map((page) => page.statusCode))).toEqual(new Set([410]));
    expect(new Set(pages.map((page) => page.body)).size).toBe(1);
  });

  it('answers a known and an unknown address alike, byte by byte', async () => {
    await subscribe('known@example.org');
    const form = await get('/subscribe');
    web.clock.now = new Date(web.clock.now.getTime() + 5000);
    const time = hiddenField(form.body, 'time');
    const [known, unknown] = [
      await post('/subscribe', { email: 'known@example.org', time }),
      await post('/subscribe', { email: 'never-seen@example.org', time }),
    ];
    const comparable = (answer: typeof known) => [answer.statusCode, answer.body, answer.headers.location];
    expect(comparable(known)).toEqual(comparable(unknown));
  });

  it('asks once more when the form is filled by a program, and mails nobody', async () => {
    const time = hiddenField((await get('/subscribe')).body, 'time');
    const bots = [
      { email: 'bot@example.org', time },
      { email: 'bot@example.org', time: 'forged' },
      { email: 'bot@example.org', time, website: 'http://spam.example' },
    ];
    for (const body of bots)
      expect((await post('/subscribe', body as Record<string, string>)).body).toContain('One more press');
    expect(await web.mailsTo('bot@example.org')).toEqual([]);
  });

  it('refuses posts of other sites, bad addresses and bodies of odd types, each with a page', async () => {
    const time = hiddenField((await get('/subscribe')).body, 'time');
    web.clock.now = new Date(web.clock.now.getTime() + 5000);
    const crossed = await post(
      '/subscribe',
      { email: 'x@example.org', time },
      { 'sec-fetch-site': 'cross-site' },
    );
    expect(crossed.statusCode).toBe(403);
    const bad = await post('/subscribe', { email: '"><b>x', time });
    expect(bad.statusCode).toBe(400);
    expect(bad.body).not.toContain('<b>x');
    const odd = await post('/subscribe', '<xml/>', { 'content-type': 'text/xml' });
    expect(odd.statusCode).toBe(415);
    const large = await post('/subscribe', `email=${'x'.repeat(200_000)}`);
    expect(large.statusCode).toBe(413);
  });
});
