import fc from 'fast-check';
import type { RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findSubscriber } from '#src/subscribers/subscriber-store.ts';
import { SCOPES } from '#src/web/api/api-key-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { createTestWeb } from '#test/support/web.ts';

/** Whatever is sent to whichever route: an answer, never a 5xx. */
let db: TestDatabase;
let web: Awaited<ReturnType<typeof createTestWeb>>;
let tokens: Record<string, string>;
let key: string;
let paper: number;

beforeAll(async () => {
  db = await createTestDatabase();
  web = await createTestWeb(db.database);
  await web.topics.syncCatalogue();
  key = (await web.keys.create('fuzz', SCOPES)).key;
  const row = await db.database
    .insertInto('papers')
    .values({ identity: 'arxiv:2606.00001', title: 'T', abstract: 'A' })
    .returning('id')
    .executeTakeFirstOrThrow();
  paper = row.id;
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
  const subject = { publicId: reader.publicId, epoch: 0 };
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

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\u0000',
    '%00',
    '%',
    '%ff',
    '..',
    '../../etc/passwd',
    "' or 1=1 --",
    '<script>',
    '\r\nX: y',
    '-1',
    '0',
    '99999999999999999999',
    'NaN',
    'null',
    '[]',
    '{}',
    '2026-02-30',
    '9999-12-31',
    '0000-00-00',
    'a'.repeat(2000),
    '\ud800',
    'arxiv:',
    '((((',
    '"',
    ':*',
    'σ',
  ),
);

/** A value that a schema would take, or nearly. */
function near(
  schema: { type?: string; anyOf?: { const?: unknown }[]; minimum?: number; maximum?: number } = {},
): fc.Arbitrary<unknown> {
  const options: fc.Arbitrary<unknown>[] = [nasty];
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum = 0, maximum = 100 } = schema;
    options.push(fc.integer({ min: Math.max(minimum, -1000) - 1, max: Math.min(maximum, 10_000) + 1 }));
  }
  if (schema.anyOf) options.push(fc.constantFrom(...schema.anyOf.map((one) => one.const ?? '')));
  return fc.oneof(
    { arbitrary: fc.oneof(...options.slice(1), nasty), weight: 3 },
    { arbitrary: fc.jsonValue(), weight: 1 },
  );
}

type ObjectSchema = { properties?: Record<string, object> };
const objectNear = (schema: ObjectSchema | undefined): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      Object.entries(schema?.properties ?? { x: {} }).map(([name, one]) => [name, near(one)]),
    ),
    { requiredKeys: [] },
  );

/** Fills a path: good tokens half of the time, so that the fuzz gets past the door. */
function pathOf(url: string): fc.Arbitrary<string> {
  const parts = url.split(/(:\w+)/).map((part, i) => {
    if (!part.startsWith(':')) return fc.constant(part);
    const folder = url.split('/')[1] ?? '';
    const good = part === ':token' ? tokens[folder] : part === ':paper' ? String(paper) : undefined;
    const free = nasty.map((text) => encodeURIComponent(text.toWellFormed()));
    const known = fc.constantFrom(
      'more',
      'mute',
      'topic',
      'category',
      'cs.CL',
      'atom',
      'json',
      '2026-06-05',
      '2026-06',
      'x',
    );
    const usual = good === undefined ? fc.oneof(known, free) : fc.constant(good);
    return i === 0 ? usual : fc.oneof({ arbitrary: usual, weight: 3 }, { arbitrary: free, weight: 1 });
  });
  return fc.tuple(...parts).map((filled) => filled.join(''));
}

const request = (route: RouteOptions) => {
  const schema = (route.schema ?? {}) as { querystring?: ObjectSchema; body?: ObjectSchema };
  const method = String(route.method) as 'GET' | 'POST';
  const isApi = route.url.includes('/api/');
  return fc.record({
    path: pathOf(route.url),
    query: objectNear(schema.querystring),
    body: fc.oneof(
      { arbitrary: objectNear(schema.body), weight: 4 },
      { arbitrary: fc.jsonValue(), weight: 1 },
    ),
    type: fc.constantFrom(
      isApi ? 'application/json' : 'application/x-www-form-urlencoded',
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
    ),
    method: fc.constant(method),
    isApi: fc.constant(isApi),
  });
};

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

type Sent = {
  path: string;
  query: Record<string, unknown>;
  body: unknown;
  type: string;
  method: 'GET' | 'POST';
  isApi: boolean;
};

function encoded({ body, type }: Sent): string {
  if (type !== 'application/x-www-form-urlencoded') return JSON.stringify(body) ?? '';
  const fields = body !== null && typeof body === 'object' ? body : { x: body };
  return new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, text(value)]),
  ).toString();
}

async function send(sent: Sent) {
  const query = new URLSearchParams(
    Object.entries(sent.query).map(([name, value]): [string, string] => [name, text(value)]),
  );
  return web.app.inject({
    method: sent.method,
    url: `${sent.path}${query.size > 0 ? `?${query.toString()}` : ''}`,
    headers: { 'content-type': sent.type, ...(sent.isApi ? { authorization: `Bearer ${key}` } : {}) },
    ...(sent.method === 'GET' ? {} : { payload: encoded(sent) }),
  });
}

describe('every route', () => {
  it('answers anything with anything but a 5xx', async () => {
    const routes = await routesOf();
    expect(routes.length).toBeGreaterThan(45);
    for (const [n, route] of routes.entries()) {
      tokens = await newReader(n);
      await fc.assert(
        fc.asyncProperty(request(route), async (sent) => {
          const answer = await send(sent);
          if (answer.statusCode >= 500) throw new Error(`${answer.statusCode} ${answer.body.slice(0, 300)}`);
          if (sent.isApi && answer.statusCode >= 400)
            expect(answer.headers['content-type']).toContain('application/problem+json');
        }),
        { numRuns: Number(process.env.FUZZ_RUNS ?? 20), interruptAfterTimeLimit: 60_000 },
      );
    }
  }, 600_000);
});
