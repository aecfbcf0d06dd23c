import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '#src/web/api/api-key-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { createTestWeb } from '#test/support/web.ts';

let db: TestDatabase;
let web: Awaited<ReturnType<typeof createTestWeb>>;
let key: string;

beforeAll(async () => {
  db = await createTestDatabase();
  web = await createTestWeb(db.database);
  await web.topics.syncCatalogue();
  key = (await web.keys.create('all', SCOPES)).key;
});
afterAll(async () => {
  await web.app.close();
  await db.destroy();
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
const call = (method: Method, path: string, payload?: object, headers: Record<string, string> = {}) =>
  web.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(payload ? { payload } : {}),
  });

const paper = (n: number) => ({
  arxivId: `2606.2000${n}`,
  title: `Paper ${n} of speech`,
  abstract: 'About speech recognition.',
  authors: ['Ada Lovelace'],
  categories: ['cs.CL'],
  upvotes: n,
});
const papers = (count: number) => ({
  source: 'mine',
  listedOn: '2026-06-04',
  papers: Array.from({ length: count }, (_, n) => paper(n)),
});

describe('the description', () => {
  it('is valid OpenAPI 3.1, with an id, a summary and a problem for every operation', async () => {
    const document = (await web.app.inject('/api/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const checked = await new Validator().validate(structuredClone(document));
    expect(checked).toMatchObject({ valid: true });
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Paper', 'Subscriber']));
    // Every named schema is used, and a public operation says that it is.
    const text = JSON.stringify(document);
    for (const name of Object.keys(document.components.schemas))
      expect(text).toContain(`"#/components/schemas/${name}"`);
    expect(document.security).toEqual([]);
    expect(document.paths['/api/v1/papers'].get.responses['4XX'].content).toEqual({
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
    });
    const operations = Object.values(
      document.paths as Record<string, Record<string, Record<string, unknown>>>,
    ).flatMap((path) => Object.values(path));
    expect(operations.length).toBeGreaterThanOrEqual(12);
    for (const operation of operations)
      expect(Object.keys(operation)).toEqual(
        expect.arrayContaining(['operationId', 'summary', 'responses', 'tags']),
      );
    const needed = operations.flatMap((operation) =>
      ((operation.parameters ?? []) as { name: string; required?: boolean }[])
        .filter((parameter) => parameter.required)
        .map((parameter) => parameter.name),
    );
    expect(new Set(needed)).toEqual(new Set(['identifier', 'q', 'slug', 'id']));
    // What a generated client is made of: every body has a name, every write takes an Idempotency-Key.
    for (const operation of operations) {
      const media = JSON.stringify([operation.requestBody, operation.responses]).matchAll(
        /"schema":\{"(.+?)"/g,
      );
      expect([...media].map(([, first]) => first).filter((first) => first !== '$ref')).toEqual([]);
    }
    const keyed = operations.filter((operation) => JSON.stringify(operation).includes('"Idempotency-Key"'));
    const writes = [
      'addSubscribers',
      'changeSubscriber',
      'hideTopic',
      'putPapers',
      'putTopic',
      'removeSubscriber',
    ];
    expect(new Set(keyed.map((operation) => operation.operationId))).toEqual(new Set(writes));
    for (const [, pattern] of text.matchAll(/"pattern":"((?:[^"\\]|\\.)*)"/g))
      expect(pattern).not.toContain('"');
    expect(text).not.toMatch(/"number"(?![^{}]*"format":"double")/);
    const ids = operations.map((operation) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await web.app.inject('/api')).body).toContain('Add subscribers who have agreed elsewhere');
    // For a person, names are spelled out.
    expect((await web.app.inject('/api')).body).not.toContain('$ref');
  });
});

describe('keys', () => {
  it('are stored as a hash, bound to scopes, and end when revoked', async () => {
    const made = await web.keys.create('narrow', ['subscribers:read']);
    expect(JSON.stringify(await db.database.selectFrom('api_keys').selectAll().execute())).not.toContain(
      made.key,
    );
    const narrow = { authorization: `Bearer ${made.key}` };
    expect((await call('GET', '/subscribers', undefined, narrow)).statusCode).toBe(200);
    const refused = await call('POST', '/papers', papers(1), narrow);
    expect([refused.statusCode, refused.json().detail]).toEqual([
      403,
      'This key lacks the scope papers:write.',
    ]);
    expect(await web.keys.revoke(made.id)).toBe(true);
    expect((await call('GET', '/subscribers', undefined, narrow)).statusCode).toBe(401);
  });

  it('are needed for every operation that writes or names people', async () => {
    const guarded: [Method, string][] = [
      ['POST', '/papers'],
      ['PUT', '/topics/x'],
      ['DELETE', '/topics/x'],
      ['GET', '/subscribers'],
      ['GET', '/subscribers/00000000-0000-4000-8000-000000000000'],
      ['POST', '/subscribers'],
      ['PATCH', '/subscribers/00000000-0000-4000-8000-000000000000'],
      ['DELETE', '/subscribers/00000000-0000-4000-8000-000000000000'],
    ];
    for (const [method, path] of guarded)
      for (const authorization of ['', 'Bearer x', `Bearer pb_${'x'.repeat(43)}`, `Basic ${key}`]) {
        const answer = await call(method, path, undefined, { authorization });
        expect([method, path, answer.statusCode]).toEqual([method, path, 401]);
        expect(answer.headers['content-type']).toContain('application/problem+json');
      }
    expect((await call('GET', '/papers', undefined, { authorization: '' })).statusCode).toBe(200);
  });
});

describe('papers', () => {
  it('are stored, listed page by page, found and shown', async () => {
    expect((await call('POST', '/papers', papers(7))).json()).toEqual({ created: 7, known: 0 });
    expect((await call('POST', '/papers', papers(7))).json()).toEqual({ created: 0, known: 7 });
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = (
        await call('GET', `/papers?day=2026-06-04&limit=3${cursor && `&cursor=${cursor}`}`)
      ).json();
      seen.push(...page.items.map((item: { arxivId: string }) => item.arxivId));
      cursor = page.next ?? '';
    } while (cursor);
    expect([seen.length, new Set(seen).size, seen[0]]).toEqual([7, 7, '2606.20006']);
    expect((await call('GET', '/papers/arxiv%3A2606.20001')).json()).toMatchObject({
      title: 'Paper 1 of speech',
      upvotes: 1,
    });
    expect((await call('GET', '/search?q=speech&limit=2')).json().items).toHaveLength(2);
  });

  it('with faults are refused whole, each fault named', async () => {
    const bad = { ...papers(1), papers: [{ ...paper(1), url: 'javascript:alert(1)', arxivId: 'x' }] };
    const answer = await call('POST', '/papers', bad);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
    ]);
    expect(answer.json()).toMatchObject({ type: 'about:blank', status: 400, title: 'Bad request' });
    expect(answer.json().errors[0].field).toContain('papers.0');
    for (const url of [
      'javascript:alert(1)',
      'https://a.example/"onload',
      'https://a.example/a b',
      'https://<b>',
    ])
      expect(
        (await call('POST', '/papers', { ...papers(1), papers: [{ ...paper(1), url }] })).statusCode,
        url,
      ).toBe(400);
    expect((await call('POST', '/papers', { ...papers(1), listedOn: '2026-02-30' })).statusCode).toBe(400);
    expect((await call('GET', '/papers?cursor=zzz')).statusCode).toBe(400);
    for (const day of ['0000-01-01', '0999-12-31', '9000-01-01', '9999-12-31', '2026-02-30'])
      expect((await call('GET', `/papers?day=${day}`)).statusCode, day).toBe(400);
    for (const day of ['1000-01-01', '8999-12-31'])
      expect((await call('GET', `/papers?day=${day}`)).json(), day).toEqual({ items: [], next: null });
    for (const publishedAt of ['0000-01-01T00:00:00Z', '2016-12-31T23:59:60Z', '9999-12-31T23:59:59-12:00']) {
      const undated = { ...papers(1), papers: [{ ...paper(1), publishedAt }] };
      const refused = (await call('POST', '/papers', undated)).json();
      expect([refused.status, refused.errors[0].field]).toEqual([400, 'body.papers.0.publishedAt']);
    }
    expect((await call('GET', '/search?q=%22open')).json().detail).toContain('character');
    expect((await call('GET', '/nowhere')).json().status).toBe(404);
  });
});

describe('topics', () => {
  it('are edited by curators, outlive an update, and can be hidden', async () => {
    const topic = { name: 'My theme', group: 'Mine', triggers: ['paper plane'] };
    expect((await call('PUT', '/topics/my-theme', topic)).statusCode).toBe(200);
    await call('PUT', '/topics/speech-audio', { ...topic, name: 'Edited' });
    await web.topics.syncCatalogue();
    const names = async () =>
      (await call('GET', '/topics')).json().items.map((item: { name: string }) => item.name) as string[];
    expect(await names()).toEqual(expect.arrayContaining(['My theme', 'Edited']));
    // As generated clients do: JSON is announced, nothing is sent.
    const announced = { 'content-type': 'application/json' };
    expect((await call('DELETE', '/topics/my-theme', undefined, announced)).statusCode).toBe(204);
    expect((await call('PUT', '/topics/my-theme', undefined, announced)).statusCode).toBe(400);
    expect((await call('DELETE', '/topics/my-theme')).statusCode).toBe(404);
    expect(await names()).not.toContain('My theme');
  });
});

describe('subscribers', () => {
  const line = (email: string, rest = {}) => ({ email, timezone: 'Europe/Berlin', ...rest });

  it('are added, listed, changed, removed', async () => {
    const follows = [{ kind: 'category', value: 'cs.CL' }];
    const body = {
      consent: 'list of the lab',
      subscribers: [line('a@example.org', { follows }), line('b@example.org')],
    };
    const { added } = (await call('POST', '/subscribers', body)).json();
    expect(added).toHaveLength(2);
    expect((await call('POST', '/subscribers', body)).json()).toMatchObject({
      added: [],
      exists: ['a@example.org', 'b@example.org'],
    });
    const path = `/subscribers/${added[0].id}`;
    expect((await call('GET', path)).json()).toMatchObject({
      email: 'a@example.org',
      state: 'active',
      follows: [{ value: 'cs.CL', weight: 1 }],
    });
    const changed = (
      await call('PATCH', path, { hour: 5, mutes: [{ kind: 'query', value: 'survey' }] })
    ).json();
    expect(changed).toMatchObject({
      hour: 5,
      timezone: 'Europe/Berlin',
      follows: [{ value: 'cs.CL' }],
      mutes: [{ value: 'survey' }],
    });
    expect((await call('PATCH', path, { timezone: 'Mars' })).statusCode).toBe(422);
    const pages = [(await call('GET', '/subscribers?limit=1')).json()];
    pages.push((await call('GET', `/subscribers?limit=1&cursor=${pages[0].next}`)).json());
    expect(pages.flatMap((page) => page.items.map((item: { email: string }) => item.email))).toEqual([
      'a@example.org',
      'b@example.org',
    ]);
    expect(pages[1].next).toBeNull();
    expect((await call('DELETE', path)).statusCode).toBe(204);
    expect((await call('GET', path)).json().state).toBe('unsubscribed');
    expect((await call('DELETE', `${path}?erase=true`)).statusCode).toBe(204);
    expect((await call('GET', path)).statusCode).toBe(404);
  });

  it('are erased by whatever a language writes for true, and by nothing else', async () => {
    const words = ['true', 'True', '1', 'false', 'False', '0', 'yes', ''];
    const body = { consent: 'test', subscribers: words.map((_, n) => line(`erase${n}@example.org`)) };
    const { added } = (await call('POST', '/subscribers', body)).json();
    const left: [string, number, number][] = [];
    for (const [n, word] of words.entries()) {
      const path = `/subscribers/${added[n].id}`;
      const removed = await call('DELETE', `${path}?erase=${word}`);
      left.push([word, removed.statusCode, (await call('GET', path)).statusCode]);
    }
    expect(left).toEqual([
      ['true', 204, 404],
      ['True', 204, 404],
      ['1', 204, 404],
      ['false', 204, 200],
      ['False', 204, 200],
      ['0', 204, 200],
      ['yes', 400, 200],
      ['', 400, 200],
    ]);
    expect((await call('DELETE', `/subscribers/${added[7].id}?erase=1&erase=0`)).statusCode).toBe(400);
    expect((await call('DELETE', `/subscribers/${added[7].id}`)).statusCode).toBe(204);
    expect((await call('GET', `/subscribers/${added[7].id}`)).json().state).toBe('unsubscribed');
  });

  it('with faulty lines are not added at all', async () => {
    const body = {
      consent: 'test',
      subscribers: [line('good@example.org'), line('bad'), line('zone@example.org', { timezone: 'X' })],
    };
    const answer = await call('POST', '/subscribers', body);
    expect(answer.statusCode).toBe(422);
    expect(answer.json().errors.map((fault: { field: string }) => fault.field)).toEqual([
      'body.subscribers.1',
      'body.subscribers.2',
    ]);
    expect((await call('GET', '/subscribers')).body).not.toContain('good@example.org');
  });
});

describe('writes', () => {
  it('are done once under an Idempotency-Key, also at the same time', async () => {
    const headers = { 'idempotency-key': 'one' };
    const body = { consent: 'test', subscribers: [{ email: 'once@example.org' }] };
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', '/subscribers', body, headers)));
    // One does the work; the others are told that it runs, or get its answer, whichever comes first.
    const first = answers.filter((one) => one.statusCode === 200 && !one.headers['idempotent-replayed']);
    expect(first).toHaveLength(1);
    expect(answers.every((one) => [200, 409].includes(one.statusCode))).toBe(true);
    const again = await call('POST', '/subscribers', body, headers);
    expect(again.json().added).toHaveLength(1);
    expect(again.headers['idempotent-replayed']).toBe('true');
    // The same request, written by a language that keeps names in no order.
    const shuffled = { subscribers: body.subscribers, consent: body.consent };
    expect((await call('POST', '/subscribers', shuffled, headers)).headers['idempotent-replayed']).toBe(
      'true',
    );
    const other = await call('POST', '/subscribers', { ...body, consent: 'other' }, headers);
    expect(other.statusCode).toBe(422);
    for (const unfit of ['', 'k'.repeat(201)]) {
      const refused = await call('POST', '/subscribers', body, { 'idempotency-key': unfit });
      expect([refused.statusCode, refused.json().errors[0].field]).toEqual([400, 'headers.idempotency-key']);
    }
  });

  it('are limited by rate, with standard headers', async () => {
    const tight = await createTestWeb(db.database, { options: { apiRequestsPerMinute: 2 } });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await tight.app.inject('/api/v1/topics'));
    expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers['ratelimit-remaining']).toBe('1');
    expect(answers[2]?.headers['retry-after']).toBeDefined();
    expect(answers[2]?.json()).toMatchObject({ status: 429, title: 'Too many requests' });
    await tight.app.close();
  });
});
