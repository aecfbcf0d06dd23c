import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createHttpClient, type HttpClient, type HttpClientOptions } from '#src/papers/http/http-client.ts';
import { createLocalRateLimit } from '#src/papers/rate-limit-store.ts';
import { type FaultServer, startFaultServer } from '#test/support/papers-fault-server.ts';

const text = 'a paper '.repeat(1000);
const bomb = gzipSync(Buffer.alloc(50_000_000));
let server: FaultServer;
let elsewhere: FaultServer;
const clients: HttpClient[] = [];

beforeAll(async () => {
  elsewhere = await startFaultServer({ '/secret': (_, response) => response.end('secret') });
  server = await startFaultServer({
    '/plain': (_, response) => response.end(text),
    '/gzip': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text)),
    '/deflate': (_, response) =>
      response.writeHead(200, { 'content-encoding': 'deflate' }).end(deflateSync(text)),
    '/br': (_, response) =>
      response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(text)),
    '/bomb': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    '/odd-encoding': (_, response) => response.writeHead(200, { 'content-encoding': 'zstd-x' }).end(text),
    '/cut-gzip': (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text).subarray(0, 40)),
    '/no-gzip': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(text),
    '/endless': (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(1_000_000)), 1);
      response.on('close', () => clearInterval(timer));
    },
    '/drip': (_, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    },
    '/silent': () => undefined,
    '/cut': (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('half');
      setTimeout(() => response.destroy(), 5);
    },
    '/hang-up': (_, response) => response.destroy(),
    '/flaky': (_, response, visit) => (visit < 3 ? response.writeHead(503).end('busy') : response.end(text)),
    '/slow-down': (_, response, visit) =>
      visit < 2 ? response.writeHead(429, { 'retry-after': '0' }).end() : response.end(text),
    '/come-back-tomorrow': (_, response) => response.writeHead(503, { 'retry-after': '86400' }).end('later'),
    '/down': (_, response) => response.writeHead(500).end('broken'),
    '/bad-request': (_, response) => response.writeHead(400).end('<error/>'),
    '/moved': (_, response) => response.writeHead(302, { location: '/plain' }).end(),
    '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
    '/inside': (_, response) => response.writeHead(302, { location: `${elsewhere.origin}/secret` }).end(),
    '/to-file': (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/to-metadata': (_, response) => response.writeHead(301, { location: 'http://169.254.169.254/' }).end(),
    '/marked': (request, response) =>
      request.headers['if-none-match'] === '"v1"'
        ? response.writeHead(304).end()
        : response
            .writeHead(200, { etag: '"v1"', 'last-modified': 'Tue, 02 Jun 2026 00:00:00 GMT' })
            .end(text),
  });
});
afterAll(async () => {
  await Promise.all([...clients.map((client) => client.close()), server.close(), elsewhere.close()]);
});

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = createHttpClient({
    contact: 'ops@example.org',
    rateLimit: createLocalRateLimit({ interval: () => 0 }),
    now: () => new Date('2026-06-02T00:00:00Z'),
    allowAddress: (address) => address === '127.0.0.1',
    backoff: 1,
    idleTimeout: 300,
    totalTimeout: 400,
    ...options,
  });
  clients.push(made);
  return made;
}
const get = (path: string, options: Partial<HttpClientOptions> = {}) =>
  client(options).get({ url: server.origin + path });

describe('what comes whole', () => {
  it.each(['/plain', '/gzip', '/deflate', '/br', '/moved', '/flaky', '/slow-down'])('%s', async (path) => {
    expect(await get(path)).toMatchObject({ type: 'ok', body: Buffer.from(text) });
  });

  it('says who asks', async () => {
    await get('/plain');
    expect(server.visits.get('/plain')?.at(-1)).toMatchObject({
      'user-agent': expect.stringContaining('ops@example.org'),
    });
  });

  it('is not sent again while it is the same', async () => {
    const http = client();
    const first = await http.get({ url: `${server.origin}/marked` });
    expect(first).toMatchObject({
      type: 'ok',
      validators: { etag: '"v1"', lastModified: 'Tue, 02 Jun 2026 00:00:00 GMT' },
    });
    if (first.type !== 'ok') return;
    expect(await http.get({ url: `${server.origin}/marked`, validators: first.validators })).toEqual({
      type: 'not-modified',
    });
  });

  it('is kept on demand', async () => {
    const kept: string[] = [];
    await get('/flaky', {
      keep: async ({ url, status }) => void kept.push(`${status} ${new URL(url).pathname}`),
    });
    await get('/bad-request', {
      keep: async ({ url, status }) => void kept.push(`${status} ${new URL(url).pathname}`),
    });
    expect(kept).toEqual(['200 /flaky', '400 /bad-request']);
  });
});

describe('what does not come', () => {
  it.each([
    ['/down', { type: 'status', status: 500, body: Buffer.from('broken') }, 4],
    ['/bad-request', { type: 'status', status: 400, body: Buffer.from('<error/>') }, 1],
    ['/nowhere', { type: 'status', status: 404 }, 1],
    ['/come-back-tomorrow', { type: 'status', status: 503, retryAfterMs: 86_400_000 }, 1],
    ['/cut', { type: 'unreachable' }, 4],
    ['/hang-up', { type: 'unreachable' }, 4],
    ['/cut-gzip', { type: 'unreachable' }, 4],
    ['/no-gzip', { type: 'unreachable' }, 4],
    ['/bomb', { type: 'refused', message: expect.stringContaining('more than 16777216 bytes') }, 1],
    ['/odd-encoding', { type: 'refused', message: expect.stringContaining('zstd-x') }, 1],
    ['/to-file', { type: 'refused' }, 1],
    ['/inside', { type: 'refused', message: expect.stringContaining('another site') }, 1],
    ['/to-metadata', { type: 'refused' }, 1],
  ])('%s', async (path, answer, visits) => {
    const before = server.visits.get(path)?.length ?? 0;
    expect(await get(path)).toMatchObject(answer);
    expect((server.visits.get(path)?.length ?? 0) - before).toBe(visits);
  });

  it.each(['/silent', '/drip'])('%s is given up in time', async (path) => {
    expect(await get(path, { tries: 1 })).toMatchObject({ type: 'unreachable' });
  });

  it('an endless answer is refused in bounded memory', async () => {
    const before = process.memoryUsage().rss;
    expect(await get('/endless', { totalTimeout: 20_000 })).toMatchObject({ type: 'refused' });
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it('what is under way is broken off when the client closes, and not tried again', async () => {
    const http = client({ idleTimeout: 20_000, totalTimeout: 20_000, backoff: 20_000 });
    const before = server.visits.get('/silent')?.length ?? 0;
    const answer = http.get({ url: `${server.origin}/silent` });
    await vi.waitFor(() => expect(server.visits.get('/silent')?.length).toBe(before + 1));
    await http.close();
    expect(await answer).toMatchObject({ type: 'unreachable' });
    expect(await http.get({ url: `${server.origin}/plain` })).toMatchObject({ type: 'unreachable' });
    expect(server.visits.get('/silent')?.length).toBe(before + 1);
  });

  it('a loop of redirects ends', async () => {
    expect(await get('/loop')).toMatchObject({
      type: 'refused',
      message: expect.stringContaining('redirects'),
    });
  });

  it('an internal address is never asked, under whatever name', async () => {
    const visits = () => [...server.visits.values()].flat().length;
    const before = visits();
    const port = new URL(server.origin).port;
    const wary = client({
      allowAddress: (address) => !address.startsWith('127.') && address !== '::1',
      tries: 1,
    });
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.0.0.1', '[::1]'])
      expect(await wary.get({ url: `http://${host}:${port}/plain` })).toMatchObject({ type: 'refused' });
    expect(visits()).toBe(before);
  });

  it('nothing listens', async () => {
    expect(await client().get({ url: 'http://127.0.0.1:9/' })).toMatchObject({ type: 'unreachable' });
    expect(await client().get({ url: 'no address' })).toMatchObject({ type: 'refused' });
  });
});

describe('the rate of requests to a site', () => {
  it('is one at a time and spaced', async () => {
    const limit = createLocalRateLimit({ interval: () => 30 });
    let running = 0;
    const starts: number[] = [];
    await Promise.all(
      Array.from({ length: 4 }, () =>
        limit.turn('a.example', async () => {
          starts.push(performance.now());
          expect(++running).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 2));
          running -= 1;
        }),
      ),
    );
    for (const [index, start] of starts.entries())
      if (index > 0) expect(start - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(28);
  });
});
