import type { HttpAnswer, HttpClient } from '#src/papers/http/http-client.ts';
import { readVectors } from './read-vectors.ts';

/** What the operator chose. */
export type EmbeddingsSettings = {
  /** A server, or the very address that is asked: `…/embed` is text-embeddings-inference's, else OpenAI's form. */
  readonly url: string;
  readonly model: string | null;
  readonly key: string | null;
  /** Texts in one request at most. */
  readonly batch: number;
  /** Numbers in a vector, asked for and insisted on; null: as many as the model gives. */
  readonly dimension: number | null;
  /** Put before every paper and every phrase, as some models want it; may be empty. */
  readonly paperPrefix: string;
  readonly phrasePrefix: string;
};

/** What came of asking for vectors. */
export type EmbedOutcome =
  /** One vector a text, in their order, all of one length and of Euclidean length 1. */
  | { readonly type: 'ok'; readonly vectors: readonly Float32Array[] }
  /** The endpoint takes no such texts (too many, too long …): fewer may pass. */
  | { readonly type: 'too-much'; readonly message: string }
  /** It is out of reach, refuses us, or answers with something else than vectors. */
  | { readonly type: 'failed'; readonly message: string };

/** Gives texts their vectors; texts are sent as they are, nothing else is. */
export type EmbeddingsEndpoint = { embed(texts: readonly string[]): Promise<EmbedOutcome> };

type Form = 'openai' | 'inference';
type Place = { readonly url: string; readonly form: Form };

/** Bytes of an answer at most: 2,048 vectors of 1,536 numbers written out. */
const MOST_BYTES = 96 * 2 ** 20;
/** Statuses that a smaller request may cure: bad or unprocessable content, content too large (RFC 9110 section 15.5). */
const TOO_MUCH = new Set([400, 413, 422]);
const ABSENT = new Set([404, 405]);
const MESSAGE_SHOWN = 300;

/**
 * An endpoint for embeddings: OpenAI's `POST /v1/embeddings` (also spoken by vLLM, Ollama, llama.cpp …) or the
 * `POST /embed` of Hugging Face's text-embeddings-inference. Of an address without either path the first of them that
 * is there is used.
 */
export function createEmbeddingsEndpoint(
  { http }: { readonly http: Pick<HttpClient, 'post'> },
  settings: EmbeddingsSettings,
): EmbeddingsEndpoint {
  let places = placesOf(settings.url);
  return {
    async embed(texts) {
      for (;;) {
        const [place, ...others] = places;
        if (!place) throw new Error('an endpoint has at least one place');
        const answer = await http.post(requestOf(place, settings, texts));
        const isAbsent = answer.type === 'status' && ABSENT.has(answer.status);
        if (!isAbsent || others.length === 0) {
          if (answer.type === 'ok') places = [place];
          return withoutKey(outcomeOf(answer, settings, texts.length), settings.key);
        }
        places = others;
      }
    },
  };
}

/** Where to ask, in the order of trying. */
function placesOf(given: string): Place[] {
  const url = new URL(given);
  const path = url.pathname.replace(/\/+$/, '');
  const at = (pathname: string, form: Form): Place => ({
    url: Object.assign(new URL(url), { pathname }).href,
    form,
  });
  if (path.endsWith('/embed')) return [at(path, 'inference')];
  if (path.endsWith('/embeddings')) return [at(path, 'openai')];
  if (/\/v\d+$/.test(path)) return [at(`${path}/embeddings`, 'openai')];
  return [
    at(`${path}/v1/embeddings`, 'openai'),
    at(`${path}/embeddings`, 'openai'),
    at(`${path}/embed`, 'inference'),
  ];
}

function requestOf({ url, form }: Place, settings: EmbeddingsSettings, texts: readonly string[]) {
  const { model, key, dimension } = settings;
  const body =
    form === 'inference'
      ? { inputs: texts, truncate: true, ...(dimension ? { dimensions: dimension } : {}) }
      : { input: texts, ...(model ? { model } : {}), ...(dimension ? { dimensions: dimension } : {}) };
  return {
    url,
    accept: 'application/json',
    maxBytes: MOST_BYTES,
    post: { contentType: 'application/json', body: JSON.stringify(body) },
    ...(key ? { headers: { authorization: `Bearer ${key}` } } : {}),
  };
}

function outcomeOf(answer: HttpAnswer, { dimension }: EmbeddingsSettings, count: number): EmbedOutcome {
  switch (answer.type) {
    case 'ok': {
      const read = readVectors(answer.body, { count, dimension });
      return read.type === 'invalid' ? { type: 'failed', message: read.message } : read;
    }
    case 'status': {
      const message = `the endpoint answers ${answer.status}${saying(answer.body)}`;
      return { type: TOO_MUCH.has(answer.status) ? 'too-much' : 'failed', message };
    }
    case 'not-modified':
      return { type: 'failed', message: 'the endpoint answers 304 to what was not asked conditionally' };
    case 'refused':
    case 'unreachable':
      return { type: 'failed', message: answer.message };
  }
}

function saying(body: Buffer): string {
  const text = body.toString('utf8').replace(/\s+/g, ' ').trim().slice(0, MESSAGE_SHOWN).toWellFormed();
  return text === '' ? '' : `: ${text}`;
}

/** Some servers repeat the key they refuse; it must not get into a log. */
function withoutKey(outcome: EmbedOutcome, key: string | null): EmbedOutcome {
  if (outcome.type === 'ok' || !key) return outcome;
  return { ...outcome, message: outcome.message.replaceAll(key, '********') };
}
