import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

/** What the server does instead of answering well: once per entry, in order. */
export type Misbehaviour = (response: ServerResponse) => void;

/** An embeddings server that counts words into small vectors. */
export type EmbeddingsServer = {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: string; texts: string[] }[];
  /** What the next requests get. */
  readonly next: Misbehaviour[];
  /** Set: texts are refused with 400 when this is true of one of them. */
  refuses: ((text: string) => boolean) | null;
  /** Vectors are as long as this. */
  dimension: number;
  close(): Promise<void>;
};

/** A vector of word counts by a hash, never zero: texts that share words are near each other. */
export function wordVector(text: string, dimension: number): number[] {
  const vector = Array.from({ length: dimension }, () => 0.01);
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    let hash = 7;
    for (const letter of word.slice(0, 6)) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 10_007;
    vector[hash % dimension] = (vector[hash % dimension] ?? 0) + 1;
  }
  return vector;
}

/**
 * Starts it on 127.0.0.1. `/v1/embeddings` and `/embeddings` are OpenAI's form, `/embed` is that of
 * text-embeddings-inference.
 * @param options.paths the only paths that are there (default: all three)
 */
export async function startEmbeddingsServer(
  options: { readonly paths?: readonly string[] } = {},
): Promise<EmbeddingsServer> {
  const paths = options.paths ?? ['/v1/embeddings', '/embeddings', '/embed'];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on('error', () => undefined);
    const path = request.url ?? '';
    const body = await readText(request);
    if (request.method !== 'POST' || !paths.includes(path)) return void response.writeHead(404).end();
    const { input, inputs, dimensions } = JSON.parse(body) as {
      input?: string[];
      inputs?: string[];
      dimensions?: number;
    };
    const texts = input ?? inputs ?? [];
    state.requests.push({ path, headers: request.headers, body, texts });
    const misbehave = state.next.shift();
    if (misbehave) return misbehave(response);
    if (state.refuses && texts.some(state.refuses))
      return void response.writeHead(400).end('{"error":"input is too long"}');
    const vectors = texts.map((text) => wordVector(text, dimensions ?? state.dimension));
    const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })).toReversed();
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(path === '/embed' ? vectors : { object: 'list', data }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const state: EmbeddingsServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    next: [],
    refuses: null,
    dimension: 24,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return state;
}
