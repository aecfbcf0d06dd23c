import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddingsEndpoint, type EmbeddingsSettings } from '#src/digests/embeddings/endpoint.ts';
import { createHttpClient } from '#src/papers/http/http-client.ts';
import {
  type EmbeddingsServer,
  type Misbehaviour,
  startEmbeddingsServer,
} from '#test/support/embeddings-server.ts';

const http = createHttpClient({
  contact: 'test',
  now: () => new Date(),
  rateLimit: { turn: (_site, request) => request() },
  allowAddress: () => true,
  backoff: 1,
  tries: 3,
  totalTimeout: 150,
});
let server: EmbeddingsServer;
const servers: EmbeddingsServer[] = [];
const start = async (paths?: string[]) => {
  server = await startEmbeddingsServer(paths ? { paths } : {});
  servers.push(server);
};
beforeEach(() => start());
afterAll(async () => {
  await http.close();
  for (const each of servers) await each.close();
});

const endpointOf = (path: string, more: Partial<EmbeddingsSettings> = {}) =>
  createEmbeddingsEndpoint(
    { http },
    {
      url: server.origin + path,
      model: 'words',
      key: null,
      batch: 32,
      dimension: null,
      paperPrefix: '',
      phrasePrefix: '',
      ...more,
    },
  );
const TEXTS = ['sheep and wool', 'engines', 'wool 羊毛 😀'];
const failed = (message: string) => ({ type: 'failed', message: expect.stringContaining(message) });
const answer = (body: string) => (response: { end(text: string): unknown }) => void response.end(body);

describe('an embeddings endpoint', () => {
  it.each([
    ['/v1/embeddings', '/v1/embeddings'],
    ['/v1', '/v1/embeddings'],
    ['/embeddings', '/embeddings'],
    ['/embed', '/embed'],
    ['/embed/', '/embed'],
    ['', '/v1/embeddings'],
  ])('whose address ends with "%s" is asked at %s', async (given, path) => {
    const outcome = await endpointOf(given).embed(TEXTS);
    if (outcome.type !== 'ok') throw new Error(outcome.message);
    expect(server.requests.map((request) => request.path)).toEqual([path]);
    expect(outcome.vectors.map((vector) => vector.length)).toEqual([24, 24, 24]);
    for (const vector of outcome.vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
    const [a = [], b = [], c = []] = outcome.vectors.map((vector) => [...vector]);
    const dot = (x: number[], y: number[]) => x.reduce((sum, value, k) => sum + value * (y[k] ?? 0), 0);
    expect(dot(a, c)).toBeGreaterThan(dot(b, c));
  });

  it.each([['/embeddings'], ['/embed']])(
    'with nothing but %s is found, and asked there again',
    async (path) => {
      await start([path]);
      const endpoint = endpointOf('');
      for (const _ of [1, 2]) expect(await endpoint.embed(TEXTS)).toMatchObject({ type: 'ok' });
      expect(server.requests).toHaveLength(2);
    },
  );

  it('gets the texts, the model, the length and the key, and nothing else', async () => {
    await endpointOf('/v1', { key: 'sesame', dimension: 8 }).embed(TEXTS);
    await endpointOf('/embed', { model: null }).embed(TEXTS);
    const [openai, inference] = server.requests;
    expect(JSON.parse(openai?.body ?? '')).toEqual({ input: TEXTS, model: 'words', dimensions: 8 });
    expect(openai?.headers.authorization).toBe('Bearer sesame');
    expect(JSON.parse(inference?.body ?? '')).toEqual({ inputs: TEXTS, truncate: true });
    expect(inference?.headers.authorization).toBeUndefined();
  });

  it('is asked again when it is busy, broken or hangs up', async () => {
    server.next.push(
      (response) => response.writeHead(429, { 'retry-after': '0' }).end(),
      (response) => response.destroy(),
    );
    expect(await endpointOf('').embed(TEXTS)).toMatchObject({ type: 'ok' });
    expect(server.requests).toHaveLength(3);
  });

  it.each<[string, Misbehaviour, string]>([
    ['only says 500', (response) => response.writeHead(500).end('CUDA out of memory'), '500: CUDA out of'],
    ['only says 429', (response) => response.writeHead(429).end('slow'), '429'],
    ['never answers', () => undefined, 'timeout'],
    ['breaks off', (response) => response.writeHead(200, { 'content-length': 999 }).write('[[1'), ''],
    ['cuts its JSON short', answer('{"data":[{"embedding":[0.1,'), 'not JSON'],
    ['says NaN', answer('[[1,NaN],[1,0],[0,1]]'), 'not JSON'],
    ['says infinity', answer('[[1,1e999],[1,0],[0,1]]'), 'number'],
    ['says null', answer('[[1,null],[1,0],[0,1]]'), 'no vectors'],
    ['gives texts', answer('[["1"],["2"],["3"]]'), 'no vectors'],
    ['says only an error', answer('{"error":"overloaded"}'), 'no vectors'],
    ['gives zeros', answer('[[0,0],[1,0],[0,1]]'), 'nothing'],
    ['gives nothing', answer(''), 'not JSON'],
    ['gives too few', answer('[[1,0],[0,1]]'), '2 vectors for 3 texts'],
    ['mixes lengths', answer('[[1,0],[0,1],[1,1,1]]'), 'of 2 and of 3 numbers'],
    [
      'gives one index twice',
      answer(
        '{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}',
      ),
      'whose',
    ],
    [
      'gives an index out of range',
      answer(
        '{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":4000000000,"embedding":[1]}]}',
      ),
      '',
    ],
    ['sends us elsewhere', (response) => response.writeHead(307, { location: '/embed' }).end(), 'redirect'],
  ])('that %s fails with a word on it', async (_, misbehave, message) => {
    server.next.push(misbehave, misbehave, misbehave);
    expect(await endpointOf('').embed(TEXTS)).toEqual(failed(message));
  });

  it('that gives another length than asked for, is not there, or refuses the key, fails; the key is never shown', async () => {
    server.next.push(answer('[[1,0],[0,1],[1,1]]'));
    expect(await endpointOf('', { dimension: 3 }).embed(TEXTS)).toEqual(failed('EMBEDDINGS_DIMENSION is 3'));
    await start([]);
    expect(await endpointOf('').embed(TEXTS)).toEqual(failed('404'));
    await start();
    server.next.push((response) => response.writeHead(401).end('no such key: sesame'));
    const refused = await endpointOf('', { key: 'sesame' }).embed(TEXTS);
    expect(refused).toEqual(failed('401: no such key: ********'));
    await server.close();
    expect(await endpointOf('').embed(TEXTS)).toEqual(failed('ECONNREFUSED'));
  });

  it('that finds a text too long says so in a way that halves the batch', async () => {
    server.refuses = (text) => text.includes('羊毛');
    expect(await endpointOf('').embed(TEXTS)).toMatchObject({ type: 'too-much' });
  });
});
