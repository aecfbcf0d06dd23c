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
        license: 'http://creativecommons.org/licenses/by/4.0/',
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
      expect([path, (await get(path)).statusCode]).toEqual([path, path.includes('%') ? 400 : 404]);
  });

  it('answer to the health check', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
    const broken = await createTestWeb(db.database, {
      deps: { ping: () => Promise.reject(new Error('gone')) },
    });
    const answer = await broken.app.inject('/healthz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'unavailable' }]);
    await broken.app.close();
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

  it('sees, weighs, mutes, resets and takes along everything in plain words', async () => {
    const { location } = await subscribe('whole@example.org');
    const mutes = [
      'author: Ada Lovelace',
      'organisation: Acme Labs',
      'category: cs.RO',
      'topic: diffusion-models',
      'paper: arxiv:2606.00001',
      'query: title:survey',
      'trending:',
    ];
    const choices = {
      timezone: 'UTC',
      hour: '7',
      frequency: 'daily',
      papersPerDigest: '5',
      dial: '40',
      language: 'en',
      categories: 'cs.CL',
      authors: 'Grace Hopper',
      queries: 'wool & sheep',
      reminders: 'on',
      mutes: mutes.join('\n'),
    };
    expect((await post(location, choices)).statusCode).toBe(303);
    const { subscriber } = await linksOf('whole@example.org');
    const ties = () => web.subscribers.followsOf(subscriber.id);
    const kinds = (some: readonly { kind: string }[]) => some.map(({ kind }) => kind).sort();
    const all = ['author', 'category', 'organisation', 'paper', 'query', 'topic', 'trending'];
    expect(kinds((await ties()).mutes)).toEqual(all);
    const page = (await get(location)).body;
    for (const mute of mutes) expect(page).toContain(mute);
    expect(page).toMatch(/name="reminders" value="on" checked/);

    const weights = [...page.matchAll(/name="topics" value="([^"]*:[^"]*)"/g)].map(
      ([, topic]) => topic ?? '',
    );
    expect(weights.toSorted()).toEqual(['author:Grace Hopper', 'category:cs.CL', 'query:wool &#38; sheep']);
    const body = new URLSearchParams();
    for (const topic of [...weights, 'author:Nobody']) {
      body.append('topics', topic.replace('&#38;', '&'));
      body.append('weights', topic === 'category:cs.CL' ? '7.5' : '2');
    }
    const saved = await post(`${location}/weights`, body.toString());
    expect(saved.headers.location).toMatch(/saved=1#weights$/);
    expect((await post(`${location}/weights`, 'topics=author:x&weights=99')).statusCode).toBe(400);
    const weighed = await ties();
    expect(weighed.follows.map(({ kind, weight }) => `${kind} ${weight}`).sort()).toEqual([
      'author 2',
      'category 7.5',
      'query 2',
    ]);
    expect(kinds(weighed.mutes)).toEqual(all);
    // Saving the other form keeps the weights.
    expect((await post(location, choices)).statusCode).toBe(303);
    expect((await ties()).follows.find(({ kind }) => kind === 'category')?.weight).toBe(7.5);

    const [paper] = await web.papers.papersByIds([
      ...(await web.papers.idsByIdentifiers(['arxiv:2606.00001'])).values(),
    ]);
    if (!paper) throw new Error('no paper');
    await web.subscribers.giveFeedback({ publicId: subscriber.publicId }, paper.id, 'not_now', {
      ip: null,
      userAgent: null,
    });
    const exported = await get(`${location}/export`);
    expect(exported.json()).toMatchObject({
      inWords: [
        expect.stringContaining('Up to 5 papers every day at 07:00 (UTC)'),
        expect.stringContaining('Never '),
        expect.stringContaining('Both your taste and the trend count'),
        expect.stringContaining('come again, once'),
      ],
      subscriber: { email: 'whole@example.org', dial: 40, reminders: true },
      follows: expect.arrayContaining([{ kind: 'category', value: 'cs.CL', weight: 7.5 }]),
      feedback: [{ verdict: 'not_now', paper: 'arxiv:2606.00001', title: paper.title }],
      digests: [],
    });

    expect((await post(`${location}/forget`, `paper=${paper.id}`)).statusCode).toBe(303);
    expect((await get(location)).body).toContain('Start afresh');
    expect((await post(`${location}/reset`)).statusCode).toBe(303);
    expect(await ties()).toEqual({ follows: [], mutes: [] });
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

describe('papers', () => {
  const put = (n: number, paper: object, day = '2026-06-03') =>
    web.papers.put([
      {
        source: 'test',
        listedOn: day as IsoDate,
        kind: 'new',
        section: 'cs.CL',
        observedAt: new Date(`${day}T12:00Z`),
        paper: { sourceId: `p${n}`, arxivId: `2606.1000${n}`, title: 'T', abstract: 'A', ...paper },
      },
    ]);
  beforeAll(async () => {
    await put(1, {
      title: 'Latent diffusion for speech',
      abstract: 'Voice conversion.',
      authors: ['Zoë Müller'],
      categories: ['cs.SD'],
    });
    await put(2, {
      title: 'Latent heat',
      abstract: 'Diffusion of heat in metals.',
      authors: ['Z. Muller'],
      categories: ['physics.app-ph'],
      organisation: 'ETH Zürich',
    });
    await put(
      3,
      {
        title: 'Speech recognition survey',
        abstract: 'Music is out of scope.',
        authors: ['Jørgen O’Neill'],
        categories: ['cs.CL'],
      },
      '2026-06-01',
    );
  });
  const found = async (q: string) => {
    const page = await get(`/search?q=${encodeURIComponent(q)}`);
    expect([q, page.statusCode]).toEqual([q, 200]);
    return [...page.body.matchAll(/href="\/papers\/arxiv%3A2606\.1000(\d)"/g)]
      .map((match) => Number(match[1]))
      .sort((a, b) => a - b);
  };

  it('are found by words, phrases, exclusion, author, category, organisation, title and date', async () => {
    expect(await found('latent diffusion')).toEqual([1, 2]);
    expect(await found('"latent diffusion"')).toEqual([1]);
    expect(await found('speech -music')).toEqual([1]);
    expect(await found('author:"Zoë Müller"')).toEqual([1]);
    expect(await found('author:"Z. Müller"')).toEqual([1, 2]);
    expect(await found('author:Muller')).toEqual([1, 2]);
    expect(await found('author:"Zoe MÜLLER"')).toEqual([1]);
    expect(await found('author:"Jorgen O’Neill"')).toEqual([3]);
    expect(await found('author:"Jørgen ONeill"')).toEqual([3]);
    expect(await found('Zoë Müller')).toEqual([1]);
    expect(await found('cat:cs.*')).toEqual([1, 3]);
    expect(await found('org:"eth zürich"')).toEqual([2]);
    expect(await found('title:heat')).toEqual([2]);
    expect(await found('speech after:2026-06-02')).toEqual([1]);
    expect(await found('(survey OR heat) -title:latent')).toEqual([3]);
    expect(await found('zebra latent')).toEqual([1, 2]);
    expect((await get('/search?q=speech')).headers['x-ratelimit-limit']).toBe('600');
    expect((await get('/')).headers['x-ratelimit-limit']).toBeUndefined();
  });

  it('answer mistakes in a query with what to mend, and hostile ones with a page', async () => {
    const mistake = await get('/search?q=%22open');
    expect(mistake.statusCode).toBe(400);
    for (const q of [
      "'; drop table papers;--",
      ':*',
      '& | !',
      '\u0000',
      '<b>',
      'author:"\'"',
      'a'.repeat(501),
      '%',
    ])
      expect((await get(`/search?q=${encodeURIComponent(q)}`)).statusCode).toBeLessThan(500);
    expect((await get('/search?q=a&q=b')).statusCode).toBeLessThan(500);
  });

  it('have a page under every name they go by', async () => {
    const page = await get('/papers/arxiv%3A2606.10001');
    expect(page.body).toContain('Latent diffusion for speech');
    expect(page.body).toContain('href="/day/2026-06-03"');
    expect((await get('/papers/arxiv:2606.10001')).statusCode).toBe(200);
    expect((await get('/papers/arxiv:2606.00001')).body).toContain(
      'Licence: <a href="http://creativecommons.org/licenses/by/4.0/" rel="license">CC BY 4.0</a>',
    );
    expect((await get('/papers/1')).statusCode).toBe(301);
    for (const path of ['/papers/arxiv:9999.99999', '/papers/999999999', '/papers/x%27'])
      expect((await get(path)).statusCode).toBe(404);
  });

  it('belong to topics with a page and feeds; other topics are searches', async () => {
    const page = await get('/topics/topic/speech-audio');
    expect(page.body).toContain('Latent diffusion for speech');
    expect(page.body).not.toContain('Latent heat');
    expect((await get('/topics/category/cs.CL')).body).toContain('Speech recognition survey');
    expect((await get('/topics')).body).toContain('/topics/topic/speech-audio');
    // Each paper of a list names what it is about.
    expect((await get('/day/2026-06-03')).body).toContain('>Speech, voice &#38; music</a>');
    expect((await get('/topics/author/Ada')).headers.location).toBe('/search?q=author%3A%22Ada%22');
    for (const path of ['/topics/topic/none', '/topics/category/cs.XX', '/topics/x/y'])
      expect((await get(path)).statusCode).toBe(404);
  });

  it('come as Atom and JSON feeds', async () => {
    for (const path of ['/today', '/topics/topic/speech-audio', '/topics/category/cs.CL']) {
      const atom = await get(`${path}.atom`);
      expect(atom.headers['content-type']).toContain('application/atom+xml');
      expect(atom.body).toMatch(/^<\?xml[^>]*\?>\n<feed xmlns="http:\/\/www.w3.org\/2005\/Atom">/);
      const json = (await get(`${path}.json`)).json();
      expect(json.version).toBe('https://jsonfeed.org/version/1.1');
      expect(json.items.length).toBeGreaterThan(0);
    }
    expect((await get('/search.json?q=speech')).json().items).toHaveLength(2);
    expect((await get('/search.atom?q=')).statusCode).toBe(404);
  });

  it('are previewed with reasons as the choices stand, saved or not', async () => {
    const { location } = await subscribe('preview@example.org');
    const choices = {
      timezone: 'UTC',
      hour: '7',
      frequency: 'daily',
      papersPerDigest: '5',
      dial: '0',
      language: 'en',
    };
    const preview = await post(`${location}/preview?fragment=1`, {
      ...choices,
      queries: '"voice conversion"',
    });
    expect(preview.statusCode).toBe(200);
    expect(preview.body).not.toContain('<html');
    expect(preview.body).toContain('Latent diffusion for speech');
    expect(preview.body).toContain('voice conversion');
    const page = await post(`${location}/preview`, { ...choices, categories: 'cs.CL' });
    expect(page.body).toContain('Today with these choices');
    const { subscriber } = await linksOf('preview@example.org');
    expect((await web.subscribers.followsOf(subscriber.id)).follows).toEqual([]);
    expect((await post(`${location}/preview?fragment=1`, { ...choices, queries: '"open' })).statusCode).toBe(
      400,
    );
  });

  it("are a reader's own: archive and secret feeds that can be ended", async () => {
    const { location } = await subscribe('own@example.org');
    const { subscriber } = await linksOf('own@example.org');
    const [paper] = await db.database
      .selectFrom('papers')
      .select('id')
      .where('arxiv_id', '=', '2606.10001')
      .execute();
    const at = new Date('2026-06-05T07:00Z');
    await db.database
      .insertInto('digests')
      .values({
        edition_date: '2026-06-05',
        subscriber_id: subscriber.id,
        state: 'sent',
        paper_ids: [paper?.id as number],
        candidates: 428,
        had: 31,
        slot_at: at,
        due_at: at,
        deadline: at,
      })
      .execute();
    const archive = (await get(`${location}/archive`)).body;
    expect(archive).toContain('Friday, 5 June 2026');
    expect(archive).toContain('1 of 428 papers chosen for you · 31 you already had');
    const feed = new URL(web.links.feed(subscriber, 'json')).pathname;
    expect((await get(feed)).json().items).toMatchObject([{ title: 'Latent diffusion for speech' }]);
    expect((await post(`${location}/new-feeds`)).statusCode).toBe(303);
    expect((await get(feed)).statusCode).toBe(410);
    expect((await get(location)).statusCode).toBe(200);
  });

  it('are listed for machines that ask: robots.txt and a sitemap', async () => {
    expect((await get('/robots.txt')).body).toContain('Disallow: /preferences/');
    expect((await get('/sitemap.xml')).body).toContain(
      '<loc>http://papers.test/topics/topic/speech-audio</loc>',
    );
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

  it('keeps the time of the form for one who presses quickly again', async () => {
    const time = hiddenField((await get('/subscribe')).body, 'time');
    web.clock.now = new Date(web.clock.now.getTime() + 200);
    const again = await post('/subscribe', { email: 'quick@example.org', time });
    expect(again.body).toContain('One more press');
    web.clock.now = new Date(web.clock.now.getTime() + 150);
    const taken = await post('/subscribe', {
      email: 'quick@example.org',
      time: hiddenField(again.body, 'time'),
    });
    expect(taken.headers.location).toContain('/check-your-mail');
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
