import fc from 'fast-check';
import type { RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findSubscriber } from '#src/subscribers/subscriber-store.ts';
import { SCOPES } from '#src/web/api/api-key-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { type FuzzRequest, formOf, type GoodValues, requestsNear } from '#test/support/requests-near.ts';
import { createTestWeb } from '#test/support/web.ts';

/** Whatever is sent to whichever route: an answer, never a 5xx. */
let db: TestDatabase;
let web: Awaited<ReturnType<typeof createTestWeb>>;
let tokens: Record<string, string>;
let key: string;
let paper: number;
let publicId: string;
let sentCount = 0;

beforeAll(async () => {
  db = await createTestDatabase();
  web = await createTestWeb(db.database);
  await web.topics.syncCatalogue();
  key = (await web.keys.create('fuzz', SCOPES)).key;
  const stored = await web.app.inject({
    method: 'POST',
    url: '/api/v1/papers',
    headers: { authorization: `Bearer ${key}` },
    payload: {
      source: 'mine',
      listedOn: '2026-06-05',
      papers: [{ arxivId: '2606.00001', title: 'Of speech', abstract: 'A', categories: ['cs.CL'] }],
    },
  });
  expect(stored.json()).toEqual({ created: 1, known: 0 });
  paper = (await db.database.selectFrom('papers').select('id').executeTakeFirstOrThrow()).id;
});
afterAll(async () => {
  await web.app.close();
  await db.destroy();
});

/** A reader of its own for each route, with good tokens of every purpose: one of the routes erases. */
async function newReader(n: number): Promise<Record<string, string>> {
  const email = `fuzz${n}@example.org`;
  const line = {
    address: { email, key: email },
    timezone: 'UTC',
    hour: 7,
    frequency: 'daily' as const,
    follows: [],
  };
  await web.subscribers.addSubscribers([line], 'test');
  const reader = await findSubscriber(db.database, { emailKey: email });
  if (!reader) throw new Error('no reader');
  publicId = reader.publicId;
  const subject = { publicId, epoch: 0 };
  const purposes = [
    'preferences',
    'unsubscribe',
    'one-click',
    'pause',
    'digest',
    'feedback',
    'topic',
    'undo',
  ] as const;
  const signed = purposes.map((purpose) => [purpose, web.tokens.sign(purpose, subject)]);
  return { ...Object.fromEntries(signed), 'my-feed': web.tokens.sign('feed', subject) };
}

/** Every route with its schemas, as registered. */
async function routesOf(): Promise<RouteOptions[]> {
  const routes: RouteOptions[] = [];
  const probe = await createTestWeb(db.database, { onRoute: (route) => routes.push(route) });
  await probe.app.close();
  return routes.filter((route) => route.method !== 'HEAD' && !route.url.startsWith('/assets/'));
}

/** Words that routes know, and the reader's own links. */
const goodValues = (route: RouteOptions): GoodValues => ({
  token: [tokens[route.url.split('/')[1] ?? ''] ?? 'x'],
  paper: [paper],
  id: [publicId],
  identifier: ['arxiv:2606.00001', '2606.00001'],
  date: ['2026-06-05'],
  day: ['2026-06-05'],
  listedOn: ['2026-06-05'],
  month: ['2026-06'],
  kind: ['query', 'author', 'category'],
  value: ['faces-avatars', 'cs.CL', 'cs.CL.atom', 'speech', '2606.00001'],
  slug: ['speech-audio', 'mine'],
  q: ['speech', '"of speech" -survey', 'cat:cs.CL after:2026-01-01'],
  email: ['new@example.org', 'other@example.com'],
  timezone: ['Europe/Berlin'],
  language: ['en', 'de'],
  topics: ['faces-avatars'],
  categories: ['cs.CL'],
  authors: ['Ada Lovelace'],
  organisations: ['Example'],
  queries: ['speech'],
  papers: ['2606.00001'],
  mutes: ['speech'],
  arxivId: ['2606.00002'],
  url: ['https://example.org/a'],
  pdfUrl: ['https://example.org/a'],
  codeUrl: ['https://example.org/a'],
  projectUrl: ['https://example.org/a'],
  cursor: ['cDE'],
});

async function send(sent: FuzzRequest) {
  const isApi = sent.path.startsWith('/api/');
  const isForm = sent.type === 'application/x-www-form-urlencoded';
  const query = formOf(sent.query);
  return web.app.inject({
    method: sent.method,
    remoteAddress: `2001:db8:${(sentCount++).toString(16)}::1`,
    url: query ? `${sent.path}?${query}` : sent.path,
    headers: { 'content-type': sent.type, ...(isApi ? { authorization: `Bearer ${key}` } : {}) },
    ...(sent.method === 'GET'
      ? {}
      : { payload: isForm ? formOf(Object(sent.body)) : (JSON.stringify(sent.body) ?? '') }),
  });
}

describe('every route', () => {
  it('answers anything with anything but a 5xx', async () => {
    const routes = await routesOf();
    expect(routes.length).toBeGreaterThan(45);
    const reached = new Set<string>();
    for (const [n, route] of routes.entries()) {
      tokens = await newReader(n);
      await fc.assert(
        fc.asyncProperty(requestsNear(route, goodValues(route)), async (sent) => {
          const answer = await send(sent);
          if (answer.statusCode >= 500) throw new Error(`${answer.statusCode} ${answer.body.slice(0, 300)}`);
          if (answer.statusCode < 400) reached.add(`${String(route.method)} ${route.url}`);
          if (route.url.includes('/api/') && answer.statusCode >= 400)
            expect(answer.headers['content-type']).toContain('application/problem+json');
        }),
        { numRuns: Number(process.env.FUZZ_RUNS ?? 30), interruptAfterTimeLimit: 60_000 },
      );
    }
    const missed = routes
      .map((route) => `${String(route.method)} ${route.url}`)
      .filter((name) => !reached.has(name));
    expect(missed.length, `never got past the door of ${missed.join(', ')}`).toBeLessThan(routes.length / 5);
  }, 600_000);
});
