import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { createHttpClient, type HttpClient } from '#src/papers/http/http-client.ts';
import { ingest } from '#src/papers/ingest.ts';
import { keepIn } from '#src/papers/network.ts';
import { createPaperStore, type PaperStore } from '#src/papers/paper-store.ts';
import { pollSource, sourceStatuses } from '#src/papers/poll.ts';
import { createLocalRateLimit } from '#src/papers/rate-limit-store.ts';
import type { Source, SourceMemory, SourceRequest } from '#src/papers/source.ts';
import { createSourceMemory } from '#src/papers/source-memory-store.ts';
import { readFeeds } from '#src/papers/sources/arxiv-feed.ts';
import { readHarvest } from '#src/papers/sources/arxiv-harvest.ts';
import { createArxivIdsSource } from '#src/papers/sources/arxiv-ids.ts';
import { readQuery } from '#src/papers/sources/arxiv-query.ts';
import { createBiorxivSource } from '#src/papers/sources/biorxiv.ts';
import { createHuggingFaceSource } from '#src/papers/sources/huggingface.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { type Behaviour, type FaultServer, startFaultServer } from '#test/support/papers-fault-server.ts';

let test: TestDatabase;
let store: PaperStore;
let memory: SourceMemory;
let http: HttpClient;
let server: FaultServer;
/** What a path does now; a test sets it. */
const paths: Record<string, Behaviour> = {};
const now = new Date('2026-06-03T09:00:00Z');
const day = isoDate('2026-06-02');

beforeAll(async () => {
  test = await createTestDatabase();
  store = createPaperStore(test);
  memory = createSourceMemory(test);
  http = createHttpClient({
    contact: null,
    rateLimit: createLocalRateLimit({ interval: () => 0 }),
    now: () => now,
    allowAddress: () => true,
    backoff: 1,
    idleTimeout: 300,
  });
  const names = [
    '/api',
    '/feed/atom/cs.AI',
    '/feed/atom/cs.CL',
    '/oai',
    '/query',
    '/bio/biorxiv/2026-06-02/2026-06-02/0/json',
    '/bio/biorxiv/2026-06-02/2026-06-02/2/json',
  ];
  server = await startFaultServer(
    Object.fromEntries(names.map((name) => [name, (...all: Parameters<Behaviour>) => paths[name]?.(...all)])),
  );
});
afterAll(async () => {
  await http.close();
  await server.close();
  await test.destroy();
});
beforeEach(async () => {
  server.visits.clear();
  await sql`truncate papers, settings cascade`.execute(test.database);
});

const network = () => ({ http, memory });
const run = (source: Pick<Source, 'read'>, request: Partial<SourceRequest> = {}) =>
  ingest({ items: source.read({ now, from: day, to: day, ...request }), store });
const visits = (path: string) => server.visits.get(path)?.length ?? 0;
const count = async (table: string) =>
  (await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(test.database))
    .rows[0]?.n;

describe('Hugging Face, live', () => {
  const source = () => createHuggingFaceSource(network(), `${server.origin}/api`);
  const entry = (n: number, upvotes: number) => ({
    paper: {
      id: `2606.${String(n).padStart(5, '0')}`,
      title: `T${n}`,
      summary: 'S',
      upvotes,
      submittedOnDailyAt: `${day}T00:00:00Z`,
    },
  });
  const rows = (from: number, to: number, upvotes = 1) =>
    JSON.stringify(Array.from({ length: to - from }, (_, n) => entry(from + n, upvotes)));

  it('follows pages, full or not, to the end of the day, and asks conditionally the next time', async () => {
    paths['/api'] = (request, response) => {
      const page = new URL(request.url ?? '', server.origin).searchParams.get('p');
      if (request.headers['if-none-match'] === `"${page}"`) return response.writeHead(304).end();
      return response
        .writeHead(200, { etag: `"${page}"` })
        .end(page === '0' ? rows(0, 50) : page === '1' ? rows(50, 80) : page === '2' ? rows(80, 120) : '[]');
    };
    expect(await run(source())).toMatchObject({ listings: 120, papers: 120, created: 120, faults: [] });
    expect(visits('/api')).toBe(4);
    expect(await run(source())).toMatchObject({ listings: 0, faults: [] });
    expect(visits('/api')).toBe(8);
  });

  it('ends where a server repeats its pages', async () => {
    paths['/api'] = (_, response) => response.end(rows(0, 50));
    expect(await run(source())).toMatchObject({ papers: 50, faults: [] });
    expect(visits('/api')).toBe(2);
  });

  it.each([['week', '2026-W23'] as const, ['month', '2026-06'] as const])(
    'reads a %s, page by page',
    async (kind, value) => {
      const asked: string[] = [];
      paths['/api'] = (request, response) => {
        const query = new URL(request.url ?? '', server.origin).searchParams;
        asked.push(query.toString());
        response.end(query.get('p') === '0' ? rows(0, 50) : query.get('p') === '1' ? rows(50, 60) : '[]');
      };
      expect(await run(source(), { [kind]: value })).toMatchObject({ listings: 60, papers: 60, faults: [] });
      expect(asked).toEqual([0, 1, 2].map((page) => `${kind}=${value}&limit=50&p=${page}`));
    },
  );

  it('keeps votes as a series', async () => {
    paths['/api'] = (_, response, visit) => response.end(rows(0, 1, visit === 1 ? 5 : 90));
    await run(source());
    await run(source(), { now: new Date('2026-06-07T09:00:00Z') });
    const { rows: signals } = await sql`select value from signals order by observed_at`.execute(
      test.database,
    );
    expect(signals).toEqual([{ value: 5 }, { value: 90 }]);
    expect(await count('papers')).toBe(1);
  });

  it.each<[string, Behaviour]>([
    ['an outage', (_, response) => response.writeHead(503).end()],
    ['garbage', (_, response) => response.end('<html>')],
    ['an answer cut short', (_, response) => response.end('[{"paper":{"id":"2606.0')],
    ['silence', () => undefined],
  ])('tells %s, stores nothing, and forgets nothing for the next time', async (_, behaviour) => {
    paths['/api'] = behaviour;
    expect(await run(source())).toMatchObject({ listings: 0, faultCount: 1 });
    expect(await count('papers')).toBe(0);
    paths['/api'] = (_request, response) => response.end(rows(0, 3));
    expect(await run(source())).toMatchObject({ listings: 3, faultCount: 0 });
  });
});

describe('arXiv, live', () => {
  const feed = (
    category: string,
    ids: string[],
  ) => `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"><id>http://rss.arxiv.org/atom/${category}</id>
    ${ids.map((id) => `<entry><id>oai:arXiv.org:${id}v1</id><title>T</title><summary>Abstract: A</summary><category term="${category}"/><published>${day}T00:00:00-04:00</published><arxiv:announce_type>new</arxiv:announce_type></entry>`).join('')}</feed>`;

  it('asks each category by itself: one that is down does not take the others along', async () => {
    paths['/feed/atom/cs.AI'] = (_, response) => response.writeHead(500).end();
    paths['/feed/atom/cs.CL'] = (_, response) => response.end(feed('cs.CL', ['2606.00001', '2606.00002']));
    const items = readFeeds(network(), ['cs.AI', 'cs.CL'], { now }, `${server.origin}/feed`);
    expect(await ingest({ items, store })).toMatchObject({
      listings: 2,
      faults: [{ where: expect.stringContaining('cs.AI'), message: expect.stringContaining('500') }],
    });
  });

  const raw = (
    id: string,
  ) => `<record><header><identifier>oai:arXiv.org:${id}</identifier><datestamp>${day}</datestamp></header><metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>${id}</id>
    <version version="v1"><date>Mon, 1 Jun 2026 10:00:00 GMT</date></version><title>T</title><authors>A</authors><categories>cs.CL</categories><abstract>A</abstract></arXivRaw></metadata></record>`;
  const part = (ids: string[], token: string) =>
    `<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>${ids.map(raw).join('')}<resumptionToken>${token}</resumptionToken></ListRecords></OAI-PMH>`;
  const harvest = () => ({
    read: (request: SourceRequest) =>
      readHarvest(network(), { from: day, to: day, categories: ['cs.CL'] }, request, `${server.origin}/oai`),
  });
  const tokens = () => (server.visits.get('/oai') ?? []).length;

  it('harvests part by part, and goes on where it was interrupted', async () => {
    const asked: (string | null)[] = [];
    let broken = true;
    paths['/oai'] = (request, response) => {
      const token = new URL(request.url ?? '', server.origin).searchParams.get('resumptionToken');
      asked.push(token);
      if (token === null) return response.end(part(['2606.00001'], 'two'));
      if (token === 'two' && broken) return response.end(part(['2606.00002'], 'three').slice(0, 300));
      return response.end(token === 'two' ? part(['2606.00002'], 'three') : part(['2606.00003'], ''));
    };
    expect(await run(harvest())).toMatchObject({ listings: 1, faultCount: 1 });
    broken = false;
    expect(await run(harvest())).toMatchObject({ listings: 2, faultCount: 0 });
    expect(asked).toEqual([null, 'two', 'two', 'three']);
    expect(await count('papers')).toBe(3);
  });

  it('starts again when its token has expired', async () => {
    await memory.remember(`harvest:${server.origin}/oai:cs:${day}:${day}`, { token: 'old' });
    paths['/oai'] = (request, response) =>
      response.end(
        (request.url ?? '').includes('old')
          ? '<OAI-PMH><error code="badResumptionToken">expired</error></OAI-PMH>'
          : part(['2606.00001'], ''),
      );
    expect(await run(harvest())).toMatchObject({ listings: 1, faultCount: 0 });
    expect(tokens()).toBe(2);
  });

  it('is not led in circles', async () => {
    paths['/oai'] = (_, response) => response.end(part(['2606.00001'], 'again'));
    expect(await run(harvest())).toMatchObject({
      faults: [{ message: expect.stringContaining('back to itself') }],
    });
    expect(tokens()).toBe(2);
  });

  it('waits as a 503 asks', async () => {
    paths['/oai'] = (_, response, visit) =>
      visit === 1
        ? response.writeHead(503, { 'retry-after': '0' }).end()
        : response.end(part(['2606.00001'], ''));
    expect(await run(harvest())).toMatchObject({ listings: 1, faultCount: 0 });
  });

  const found = (from: number, to: number, total: number) =>
    `<feed><opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">${total}</opensearch:totalResults>${Array.from(
      { length: to - from },
      (_, n) =>
        `<entry><id>http://arxiv.org/abs/2606.${String(from + n).padStart(5, '0')}v1</id><title>T</title><summary>A</summary><category term="cs.CL"/></entry>`,
    ).join('')}</feed>`;
  const find = (limit?: number) => ({
    read: (request: SourceRequest) =>
      readQuery(network(), { query: 'cat:cs.CL AND ti:"a b"', limit }, request, `${server.origin}/query`),
  });

  it('finds by a free query, as many as asked for', async () => {
    const asked: URLSearchParams[] = [];
    paths['/query'] = (request, response) => {
      const query = new URL(request.url ?? '', server.origin).searchParams;
      asked.push(query);
      const start = Number(query.get('start'));
      // The API gives less than it is asked for at times.
      response.end(found(start, Math.min(start + Number(query.get('max_results')), start + 80, 230), 230));
    };
    expect(await run(find(150))).toMatchObject({ listings: 150, papers: 150, faults: [] });
    expect(asked[0]?.get('search_query')).toBe('cat:cs.CL AND ti:"a b"');
    expect(asked.map((query) => `${query.get('start')}+${query.get('max_results')}`)).toEqual([
      '0+100',
      '80+70',
    ]);
    expect(await run(find(1000))).toMatchObject({ listings: 230, faults: [] });
    expect(await run(find())).toMatchObject({ listings: 100, faults: [] });
  });

  it('says so when a list found is cut short, or the query is wrong', async () => {
    paths['/query'] = (request, response) =>
      response.end((request.url ?? '').includes('start=0') ? found(0, 100, 230) : found(0, 0, 230));
    expect(await run(find(150))).toMatchObject({
      listings: 100,
      faults: [{ message: 'arXiv says 230 papers fit, and gave none after 100' }],
    });
    paths['/query'] = (_, response) =>
      response
        .writeHead(400)
        .end(
          '<feed><entry><id>http://arxiv.org/api/errors#x</id><summary>malformed query</summary></entry></feed>',
        );
    expect(await run(find())).toMatchObject({
      listings: 0,
      faults: [{ message: 'arXiv answers: malformed query' }],
    });
    paths['/query'] = (_, response) => response.end(found(0, 0, 0));
    expect(await run(find())).toMatchObject({ listings: 0, faults: [] });
  });

  it('completes pasted ids, and names those that don’t exist', async () => {
    paths['/query'] = (request, response) => {
      const ids = (new URL(request.url ?? '', server.origin).searchParams.get('id_list') ?? '')
        .split(',')
        .filter((id) => id !== '2606.99999');
      response.end(
        `<feed>${ids.map((id) => `<entry><id>http://arxiv.org/abs/${id}v1</id><title>T</title><summary>A</summary><category term="cs.CL"/></entry>`).join('')}</feed>`,
      );
    };
    const ids = [
      'https://arxiv.org/abs/2606.00001v2, arXiv:2606.00002 [cs.CL]',
      'math/0601001 2606.99999 nonsense',
    ];
    const report = await run(createArxivIdsSource(network(), `${server.origin}/query`), { ids });
    expect(report).toMatchObject({ listings: 3, papers: 3 });
    expect(report.faults.map(({ message }) => message)).toEqual([
      'neither an arXiv identifier nor a file: "nonsense"',
      'arXiv knows no paper 2606.99999',
    ]);
  });
});

describe('bioRxiv, live', () => {
  it('follows the cursor to the total', async () => {
    const one = (doi: string) => ({
      doi,
      title: 'T',
      authors: 'A, B.',
      date: day,
      version: '1',
      abstract: 'A',
      category: 'c',
      server: 'bioRxiv',
      published: 'NA',
    });
    const answer = (total: string, ...dois: string[]) =>
      JSON.stringify({ messages: [{ status: 'ok', total }], collection: dois.map(one) });
    paths['/bio/biorxiv/2026-06-02/2026-06-02/0/json'] = (_, response) =>
      response.end(answer('3', '10.1101/1', '10.1101/2'));
    paths['/bio/biorxiv/2026-06-02/2026-06-02/2/json'] = (_, response) =>
      response.end(answer('3', '10.1101/3'));
    expect(await run(createBiorxivSource('biorxiv', network(), `${server.origin}/bio`))).toMatchObject({
      listings: 3,
      papers: 3,
      faults: [],
    });
  });
});

describe('answers kept in a folder', () => {
  it('are one file each, and are read again by their sources', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'paperboy-answers-'));
    const keeping = createHttpClient({
      contact: null,
      rateLimit: createLocalRateLimit({ interval: () => 0 }),
      now: () => now,
      allowAddress: () => true,
      keep: keepIn(join(folder, 'kept')),
    });
    try {
      // An entry of the old kind, which doesn't say its day.
      const entry = { paper: { id: '2606.00001', title: 'Ünïcode', summary: 'S', upvotes: 4 } };
      const preprint = {
        doi: '10.1101/1',
        title: 'T',
        authors: 'A, B.',
        date: day,
        version: '1',
        server: 'bioRxiv',
      };
      paths['/api'] = (_, response, visit) => response.end(JSON.stringify(visit === 1 ? [entry] : []));
      paths['/bio/biorxiv/2026-06-02/2026-06-02/0/json'] = (_, response) =>
        response.end(JSON.stringify({ messages: [{ status: 'ok', total: 1 }], collection: [preprint] }));
      const kept = { http: keeping, memory };
      await run(createHuggingFaceSource(kept, `${server.origin}/api`));
      await run(createBiorxivSource('biorxiv', kept, `${server.origin}/bio`));
      const names = await readdir(join(folder, 'kept'));
      expect(names).toHaveLength(3);
      const read = async (source: Source) => {
        for (const name of names) {
          const items = await Array.fromAsync(source.read({ now, files: [join(folder, 'kept', name)] }));
          if (items[0]?.type === 'listing') return items;
        }
        return [];
      };
      expect(await read(createHuggingFaceSource(null, server.origin))).toMatchObject([
        { listing: { listedOn: day, paper: { title: 'Ünïcode' }, signals: { upvotes: 4 } } },
      ]);
      expect(await read(createBiorxivSource('biorxiv', null, server.origin))).toMatchObject([
        { listing: { listedOn: day, paper: { doi: '10.1101/1' } } },
      ]);
    } finally {
      await keeping.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('whatever a server does', () => {
  const good = JSON.stringify([
    {
      paper: {
        id: '2606.00001',
        title: 'T',
        summary: 'S',
        upvotes: 4,
        submittedOnDailyAt: `${day}T00:00:00Z`,
      },
    },
  ]);
  const bomb = gzipSync(Buffer.alloc(40_000_000));
  const drip: Behaviour = (_, response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  };
  it.each<[string, Behaviour, RegExp]>([
    ['timeouts', () => undefined, /timeout|timed out|aborted/i],
    [
      '429',
      (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
      /status 429, to be asked again in 3600 s/,
    ],
    ['503', (_, response) => response.writeHead(503).end('<h1>busy</h1>'), /status 503: busy/],
    [
      'truncation',
      (_, response) =>
        response.writeHead(200, { 'content-length': 9999 }).write(good, () => response.destroy()),
      /./,
    ],
    ['garbage', (_, response) => response.end('\u0000\ufffd{]'), /JSON array/],
    ['a slow drip', drip, /timeout|aborted/i],
    [
      'a redirect inside',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /another site/,
    ],
    [
      'a gzip bomb',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      /more than/,
    ],
  ])('%s: papers stay right, health is honest, and the next poll mends it', async (_, behaviour, message) => {
    const impatient = createHttpClient({
      contact: null,
      rateLimit: createLocalRateLimit({ interval: () => 0 }),
      now: () => now,
      allowAddress: () => true,
      backoff: 1,
      tries: 2,
      idleTimeout: 200,
      totalTimeout: 800,
    });
    const source = createHuggingFaceSource({ http: impatient, memory }, `${server.origin}/api`);
    const deps = { sources: new Map([['huggingface', source]]), store, memory, now: () => now };
    const poll = async () => {
      await pollSource(deps, 'huggingface');
      return (await sourceStatuses(deps, ['huggingface']))[0];
    };
    paths['/api'] = (_request, response) => response.end(good);
    expect(await poll()).toMatchObject({ state: 'ok', listings: 15 });
    await sql`delete from settings where key like '%asked' or key like '%http:%'`.execute(test.database);
    paths['/api'] = behaviour;
    expect(await poll()).toMatchObject({
      state: 'failing',
      failures: 1,
      listings: 0,
      faults: [{ message: expect.stringMatching(message) }],
    });
    expect([await count('papers'), await count('listings')]).toEqual([1, 1]);
    paths['/api'] = (_request, response) => response.end(good);
    expect(await poll()).toMatchObject({ state: 'ok', failures: 0 });
    await impatient.close();
  });
});

describe('withdrawals', () => {
  it('take a known paper out of the candidates, and say nothing of others', async () => {
    const listing = {
      source: 'arxiv',
      listedOn: day,
      kind: 'new' as const,
      section: 'cs.CL',
      observedAt: new Date(`${day}T00:00:00Z`),
    };
    const paper = { sourceId: '2606.00001', arxivId: '2606.00001', title: 'T', abstract: 'A' };
    async function* items() {
      yield { type: 'listing' as const, listing: { ...listing, paper } };
      yield { type: 'withdrawal' as const, identifier: 'oai:arXiv.org:2606.00001', observedAt: now };
      yield { type: 'withdrawal' as const, identifier: 'oai:arXiv.org:2606.00009', observedAt: now };
    }
    expect(await ingest({ items: items(), store })).toMatchObject({ papers: 1, withdrawn: 1 });
    const candidates = (seenBefore: Date) => store.candidatePapers({ on: day, windowDays: 1, seenBefore });
    expect(await candidates(now)).toEqual([]);
    expect(await candidates(new Date(now.getTime() - 1))).toHaveLength(1);
  });
});
