import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher, request as send } from 'undici';
import {
  type AllowAddress,
  type AllowedPlaces,
  ForbiddenAddress,
  forbiddenUrl,
  guardedLookup,
  isPublicAddress,
  siteOf,
  wrongRedirect,
} from './addresses.ts';
import type { RateLimit } from './rate-limit.ts';
import { ENCODINGS, readBody, TooLarge, UnknownEncoding } from './read-body.ts';
import { retryAfterMs } from './retry-after.ts';

/** What makes a repeated request cheap: the answer's own marks (RFC 9110 section 8.8). */
export type Validators = { readonly etag?: string; readonly lastModified?: string };

/** A GET, or with `post` a POST, which is as safe to repeat to whoever gives it here. */
export type HttpRequest = {
  readonly url: string;
  readonly post?: { readonly contentType: string; readonly body: string };
  /** Further headers, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Media types asked for. */
  readonly accept?: string;
  /** Marks of the answer known already: an unchanged one is not sent again. */
  readonly validators?: Validators;
  /** Bytes of the answer at most, unpacked (default 16 MiB). */
  readonly maxBytes?: number;
};

/** What came of a request. */
export type HttpAnswer =
  | {
      readonly type: 'ok';
      readonly url: string;
      readonly body: Buffer;
      readonly contentType: string;
      readonly validators: Validators;
    }
  | { readonly type: 'not-modified' }
  /** The server answered and said no: 4xx, or 5xx and 429 after all retries. `body`: at most 64 KiB. */
  | {
      readonly type: 'status';
      readonly status: number;
      readonly body: Buffer;
      readonly retryAfterMs?: number;
    }
  /** Not asked, or not taken: an internal address, a redirect elsewhere, too large, an unknown encoding. */
  | { readonly type: 'refused'; readonly message: string }
  /** No whole answer after all retries: no connection, a timeout, an answer cut short. */
  | { readonly type: 'unreachable'; readonly message: string };

/** The one way to the network for sources. */
export type HttpClient = {
  get(request: HttpRequest): Promise<HttpAnswer>;
  /** The same with a body; a redirect is refused. */
  post(request: HttpRequest & Required<Pick<HttpRequest, 'post'>>): Promise<HttpAnswer>;
  /** Breaks off what is under way (it answers `unreachable`) and closes all connections. */
  close(): Promise<void>;
};

/** See {@link createHttpClient}. */
export type HttpClientOptions = {
  /** Mail address or page of the operator, sent in the User-Agent so that a server's keeper can ask. */
  readonly contact: string | null;
  readonly rateLimit: RateLimit;
  readonly now: () => Date;
  /** Which addresses requests may go to (default: the public internet). */
  readonly allowAddress?: AllowAddress;
  /** Names of hosts (as in a URL) that the operator has set, which may therefore be internal. */
  readonly trustedHosts?: ReadonlySet<string>;
  /** Told of every whole answer, for debugging on demand. */
  readonly keep?: (answer: { url: string; status: number; body: Buffer; at: Date }) => Promise<void>;
  /** Milliseconds: to wait for the next bytes (default 30,000), for a whole answer (120,000), between tries (2,000, doubled each time). */
  readonly idleTimeout?: number;
  readonly totalTimeout?: number;
  readonly backoff?: number;
  /** Tries of one request (default 4). */
  readonly tries?: number;
  /** Longest Retry-After that is waited for, in milliseconds (default 60,000); beyond it the answer is the status. */
  readonly patience?: number;
};

const ABSENT = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);
const MAX_REDIRECTS = 5;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** One try: an answer, or a reason to try again. */
type Try = { readonly answer: HttpAnswer; readonly retry?: { readonly afterMs?: number } };

/**
 * A polite and wary HTTP client: says who asks, spaces its requests per site over all processes, asks conditionally,
 * retries what may pass (429, 5xx, lost connections) with backoff and Retry-After, bounds time and size after
 * unpacking, and follows redirects within the same site only, never to an internal address and never from https to
 * http. It never rejects for what a server does.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const where = {
    allow: options.allowAddress ?? isPublicAddress,
    trusted: options.trustedHosts ?? new Set(),
  };
  const idle = options.idleTimeout ?? 30_000;
  const agent = new Agent({
    connect: { lookup: guardedLookup(where), timeout: idle },
    headersTimeout: idle,
    bodyTimeout: idle,
    pipelining: 1,
  });
  // A header holds visible ASCII only.
  const contact = (options.contact ?? 'no contact given').replace(/[^\x20-\x7e]/g, '?');
  const userAgent = `Paperboy/0.1 (digest of research papers; ${contact})`;
  const closing = new AbortController();
  const wire = { ...options, where, agent, userAgent, closing: closing.signal };
  return {
    get: (request) => ask(wire, request),
    post: (request) => ask(wire, request),
    close: async () => {
      closing.abort();
      await agent.destroy();
    },
  };
}

type Wire = HttpClientOptions & {
  readonly where: AllowedPlaces;
  readonly agent: Agent;
  readonly userAgent: string;
  readonly closing: AbortSignal;
};

async function ask(wire: Wire, request: HttpRequest): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const { answer, retry } = await follow(wire, request);
    const wait = retry?.afterMs ?? (wire.backoff ?? 2000) * 2 ** (attempt - 1) * (0.5 + Math.random());
    const isLast = !retry || attempt >= (wire.tries ?? 4) || wait > (wire.patience ?? 60_000);
    if (isLast || wire.closing.aborted) return answer;
    await delay(wait, undefined, { signal: wire.closing }).catch(() => undefined);
  }
}

/** One try, over redirects. */
async function follow(wire: Wire, request: HttpRequest): Promise<Try> {
  if (!URL.canParse(request.url)) return refused(`not an address: ${request.url}`);
  let url = new URL(request.url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const forbidden = forbiddenUrl(url, wire.where);
    if (forbidden) return refused(`${url.href}: ${forbidden}`);
    const current = url;
    const step = await wire.rateLimit.turn(siteOf(url), () => oneRequest(wire, request, current));
    if ('answer' in step) return step;
    if (request.post) return refused(`${url.href} → ${step.location}: a redirect of a POST is not followed`);
    const next = URL.canParse(step.location, url.href) ? new URL(step.location, url) : undefined;
    const wrong = next ? wrongRedirect(url, next) : 'the redirect names no address';
    if (wrong || !next) return refused(`${url.href} → ${step.location}: ${wrong}`);
    url = next;
  }
  return refused(`${request.url}: more than ${MAX_REDIRECTS} redirects`);
}

const refused = (message: string): Try => ({ answer: { type: 'refused', message } });

async function oneRequest(wire: Wire, request: HttpRequest, url: URL): Promise<Try | { location: string }> {
  try {
    const response = await send(url.href, {
      dispatcher: wire.agent,
      signal: AbortSignal.any([wire.closing, AbortSignal.timeout(wire.totalTimeout ?? 120_000)]),
      headers: requestHeaders(wire, request),
      ...(request.post ? { method: 'POST', body: request.post.body } : {}),
    });
    return await read(wire, request, url, response);
  } catch (error) {
    return failed(url, error);
  }
}

function requestHeaders(
  wire: Wire,
  { accept, validators, headers, post }: HttpRequest,
): Record<string, string> {
  return {
    'user-agent': wire.userAgent,
    'accept-encoding': ENCODINGS,
    ...(accept ? { accept } : {}),
    ...(post ? { 'content-type': post.contentType } : {}),
    ...headers,
    ...(validators?.etag ? { 'if-none-match': validators.etag } : {}),
    ...(validators?.lastModified ? { 'if-modified-since': validators.lastModified } : {}),
  };
}

async function read(
  wire: Wire,
  request: HttpRequest,
  url: URL,
  { statusCode: status, headers, body: stream }: Dispatcher.ResponseData,
): Promise<Try | { location: string }> {
  const header = (name: string) => [headers[name]].flat()[0];
  const location = header('location');
  if (status === 304 || (status >= 300 && status < 400 && location)) {
    await stream.dump();
    return status === 304 ? { answer: { type: 'not-modified' } } : { location: location ?? '' };
  }
  const ok = status === 200;
  const limit = ok ? (request.maxBytes ?? MAX_BYTES) : MAX_ERROR_BYTES;
  const body = await readBody(stream, header('content-encoding'), limit);
  await wire.keep?.({ url: url.href, status, body, at: wire.now() });
  if (!ok) return noSuccess(status, body, retryAfterMs(header('retry-after'), wire.now()));
  const etag = header('etag');
  const lastModified = header('last-modified');
  const validators = { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
  const contentType = header('content-type') ?? '';
  return { answer: { type: 'ok', url: url.href, body, contentType, validators } };
}

function noSuccess(status: number, body: Buffer, afterMs: number | undefined): Try {
  const answer: HttpAnswer = {
    type: 'status',
    status,
    body,
    ...(afterMs !== undefined ? { retryAfterMs: afterMs } : {}),
  };
  const passes = status === 429 || status >= 500;
  return passes ? { answer, retry: afterMs !== undefined ? { afterMs } : {} } : { answer };
}

function failed(url: URL, error: unknown): Try {
  const cause = error instanceof Error ? error : new Error(String(error));
  const message = `${url.href}: ${cause.message}${'code' in cause ? ` (${String(cause.code)})` : ''}`;
  // No name, no route, nobody there: waiting seconds won't help, the next poll may.
  const absent = 'code' in cause && ABSENT.has(String(cause.code));
  const final =
    cause instanceof ForbiddenAddress || cause instanceof TooLarge || cause instanceof UnknownEncoding;
  if (final) return refused(message);
  return { answer: { type: 'unreachable', message }, ...(absent ? {} : { retry: {} }) };
}
