import type { ServerResponse } from 'node:http';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '#src/config.ts';
import { createEmbeddingsEndpoint, type EmbeddingsSettings } from '#src/digests/embeddings/endpoint.ts';
import { createManualClock } from '#src/digests/replay.ts';
import { paperInput } from '#src/matching/embeddings.ts';
import { createHttpClient } from '#src/papers/http/http-client.ts';
import { ingest } from '#src/papers/ingest.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createServices, type Services } from '#src/services.ts';
import { parseAddress } from '#src/subscribers/address.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import {
  type EmbeddingsServer,
  type Misbehaviour,
  startEmbeddingsServer,
} from '#test/support/embeddings-server.ts';

const clock = createManualClock(new Date('2026-06-01T12:00:00Z'));
const http = createHttpClient({
  contact: 'test',
  now: clock.now,
  rateLimit: { turn: (_site, request) => request() },
  allowAddress: () => true,
  backoff: 1,
  tries: 2,
});
const PHRASE = 'reinforcement learning for robots';
let db: TestDatabase;
let server: EmbeddingsServer;
let services: Services;

beforeAll(async () => {
  db = await createTestDatabase();
  server = await startEmbeddingsServer();
  services = wire();
  await services.topics.syncCatalogue();
  const sample = createSources().get('sample');
  if (!sample) throw new Error('no sample');
  await ingest({ items: sample.read({ now: clock.now() }), store: services.papers });
  await db.database
    .updateTable('papers')
    .set({ first_listed_on: '2026-06-01' })
    .where('first_listed_on', 'is', null)
    .execute();
  await follow('zdislava@reader.test', PHRASE);
});
afterAll(async () => {
  await http.close();
  await server.close();
  await db.destroy();
});
beforeEach(async () => {
  server.requests.length = 0;
  server.next.length = 0;
  server.refuses = null;
  await sql`truncate embeddings, settings`.execute(db.database);
});

function wire(environment: Record<string, string> = {}): Services {
  return createServices({
    config: readConfig({ EMBEDDINGS_URL: server.origin, EMBEDDINGS_MODEL: 'words', ...environment }),
    database: db.database,
    secret: 'a secret for tests, of thirty-two characters',
    baseUrl: 'http://papers.test',
    queue: { add: async () => undefined },
    now: clock.now,
  });
}

async function follow(email: string, query: string): Promise<void> {
  const parsed = parseAddress(email);
  if (parsed.type !== 'ok') throw new Error(email);
  const follows = [{ kind: 'query' as const, value: query, weight: 1 }];
  const reader = { address: parsed.address, timezone: 'UTC', hour: 7, frequency: 'daily' as const, follows };
  await services.subscribers.addSubscribers([reader], 'test');
}

const SETTINGS: EmbeddingsSettings = {
  url: '',
  model: 'words',
  key: null,
  batch: 8,
  dimension: null,
  paperPrefix: '',
  phrasePrefix: '',
};
async function make(from: Services = services, signal?: AbortSignal) {
  const endpoint = createEmbeddingsEndpoint({ http }, { ...SETTINGS, url: server.origin });
  return await from.embeddings?.make(endpoint, signal);
}
const stored = async () => (await sql`select from embeddings`.execute(db.database)).rows.length;
const status = async () => (await services.sourceStatuses()).find(({ name }) => name === 'embeddings');
const sent = () => server.requests.flatMap(({ texts }) => texts);

describe('vectors of papers and phrases', () => {
  it('are made once each, kept, and read back; nothing but titles, abstracts and phrases is sent', async () => {
    await follow('charles@reader.test', 'write to charles@reader.test');
    expect(await status()).toMatchObject({ state: 'never' });
    const report = await make();
    expect(report).toEqual({ made: sent().length, refused: 0, waiting: 0 });
    const { rows } = await sql<{
      title: string;
      abstract: string;
    }>`select title, abstract from papers`.execute(db.database);
    const papers = new Set(rows.map(paperInput));
    expect(sent().filter((text) => !papers.has(text))).toEqual([PHRASE]);
    expect(new Set(sent()).size).toBe(sent().length);
    const wire = JSON.stringify(server.requests);
    for (const secret of ['reader.test', 'zdislava', 'charles'])
      expect(wire.toLowerCase().includes(secret)).toBe(false);
    for (const { body, headers } of server.requests) {
      expect(Object.keys(JSON.parse(body)).sort()).toEqual(['input', 'model']);
      expect(Object.keys(headers).filter((name) => name.startsWith('x-') || name === 'cookie')).toEqual([]);
    }

    const count = server.requests.length;
    expect(await make()).toEqual({ made: 0, refused: 0, waiting: 0 });
    expect(server.requests).toHaveLength(count);
    expect(await status()).toMatchObject({ state: 'ok', failures: 0 });
    const embeddings = await services.embeddings?.load(rows);
    expect(embeddings?.dimension).toBe(24);
    expect(Math.hypot(...(embeddings?.phrase(PHRASE) ?? []))).toBeCloseTo(1, 2);
    expect(rows.filter((row) => embeddings?.paper(row)).length).toBeGreaterThan(20);
  });

  it('are gone on with after a fault, which the health tells of', async () => {
    const all = (await make())?.made ?? 0;
    await sql`truncate embeddings, settings`.execute(db.database);
    const fail: Misbehaviour = (response) => void response.writeHead(500).end('broken');
    const well = (await make(services, AbortSignal.abort()))?.waiting;
    expect(well).toBe(all);
    server.requests.length = 0;
    server.next.push(fail, fail);
    expect(await make()).toMatchObject({ made: 0, waiting: all, fault: expect.stringContaining('500') });
    expect(await stored()).toBe(0);
    expect(await status()).toMatchObject({ state: 'failing', failures: 1 });
    expect((await status())?.faults[0]?.message).toContain(`${all} texts have no vector`);
    expect(await make()).toEqual({ made: all, refused: 0, waiting: 0 });
    expect(await status()).toMatchObject({ state: 'ok', created: all });
  });

  it('are not stored when the length changes under the same name, and are made anew under another', async () => {
    const all = (await make())?.made ?? 0;
    await sql`delete from embeddings where ctid in (select ctid from embeddings limit 3)`.execute(
      db.database,
    );
    server.dimension = 12;
    expect(await make()).toMatchObject({
      made: 0,
      waiting: 3,
      fault: expect.stringContaining('EMBEDDINGS_MODEL'),
    });
    const other = wire({ EMBEDDINGS_MODEL: 'other words' });
    expect(await make(other)).toMatchObject({ made: all });
    server.dimension = 24;
  });

  it('come but for texts that the endpoint refuses, which are not sent again', async () => {
    server.refuses = (text) => text === PHRASE;
    const report = await make();
    expect(report).toMatchObject({ refused: 1, waiting: 0 });
    server.requests.length = 0;
    expect(await make()).toEqual({ made: 0, refused: 0, waiting: 0 });
    expect(server.requests).toEqual([]);
    expect((await services.embeddings?.load([]))?.phrase(PHRASE)).toBeUndefined();
  });

  it('that are all refused are a fault of the endpoint, and none is given up', async () => {
    server.refuses = () => true;
    expect(await make()).toMatchObject({ made: 0, refused: 0, fault: expect.stringContaining('too long') });
    expect(await stored()).toBe(0);
    expect(server.requests.length).toBeLessThan(40);
  });

  it('are made by one process at a time', async () => {
    let held: ServerResponse | undefined;
    server.next.push((response) => {
      held = response;
    });
    const one = make();
    await vi.waitFor(() => expect(held).toBeDefined());
    expect(await make()).toBeUndefined();
    expect(server.requests).toHaveLength(1);
    held?.writeHead(503).end();
    expect(await one).toMatchObject({ made: new Set(sent()).size });
  });

  it('are removed when no one has wanted them for two months', async () => {
    const all = (await make())?.made;
    await sql`insert into embeddings values ('gone', '\\x00', null, '2026-03-01')`.execute(db.database);
    await make();
    expect(await stored()).toBe(all);
    clock.set(new Date('2026-06-12T12:00:00Z'));
    await make();
    const { rows } = await sql<{ at: string }>`select distinct wanted_on::text as at from embeddings`.execute(
      db.database,
    );
    expect(rows.map(({ at }) => at)).toContain('2026-06-12');
    clock.set(new Date('2026-06-01T12:00:00Z'));
  });

  it('make the next edition be indexed anew, and so does a new fit of statistics', async () => {
    const on = '2026-06-01' as Parameters<Services['editionIndex']>[0];
    const before = await services.editionIndex(on, clock.now());
    expect(await services.editionIndex(on, clock.now())).toBe(before);
    await make();
    const embedded = await services.editionIndex(on, clock.now());
    expect(embedded).not.toBe(before);
    await sql`
      insert into statistics (version, fitted_at, documents, average_length, rank, background)
      values ('next', ${clock.now()}, 1, 1, 0, '{}')`.execute(db.database);
    expect(await services.editionIndex(on, clock.now())).not.toBe(embedded);
  });
});
