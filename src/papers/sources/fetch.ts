import { createHash } from 'node:crypto';
import type { HttpAnswer, HttpClient, Validators } from '../http/http-client.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type SourceMemory } from '../source.ts';
import { lineOf } from '../text.ts';
import { isFields } from './loose-record.ts';

/** What a source needs for the network. */
export type Network = { readonly http: Pick<HttpClient, 'get'>; readonly memory: SourceMemory };

/** A body to read, or nothing new, or what went wrong. */
export type Fetched =
  /** `stored`: to be called when all of it is stored. */
  | { readonly type: 'body'; readonly body: Buffer; readonly stored: () => Promise<void> }
  | { readonly type: 'unchanged' }
  /** `status` and `body` of an answer that has them; `absent`: there was no answer at all. */
  | {
      readonly type: 'fault';
      readonly item: SourceItem;
      readonly status?: number;
      readonly body?: Buffer;
      readonly absent: boolean;
    };

/**
 * Asks for a URL, conditionally: an answer that was stored before and hasn't changed is not sent again. The marks of an
 * answer are remembered by `stored` only, so that one lost on the way is asked for again.
 */
export async function fetchChanged(network: Network, url: string, accept: string): Promise<Fetched> {
  const key = `http:${createHash('sha256').update(url).digest('base64url')}`;
  const validators = validatorsOf(await network.memory.recall(key));
  const answer = await network.http.get({ url, accept, validators });
  if (answer.type !== 'ok') return notOk(url, answer);
  const stored = () => network.memory.remember(key, answer.validators);
  return { type: 'body', body: answer.body, stored };
}

function validatorsOf(value: unknown): Validators {
  if (!isFields(value)) return {};
  const { etag, lastModified } = value;
  return {
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof lastModified === 'string' ? { lastModified } : {}),
  };
}

function notOk(url: string, answer: Exclude<HttpAnswer, { type: 'ok' }>): Fetched {
  switch (answer.type) {
    case 'not-modified':
      return { type: 'unchanged' };
    case 'refused':
    case 'unreachable':
      return { type: 'fault', item: fault(url, answer.message), absent: answer.type === 'unreachable' };
    case 'status': {
      const { status, body } = answer;
      const wait =
        answer.retryAfterMs === undefined
          ? ''
          : `, to be asked again in ${Math.ceil(answer.retryAfterMs / 1000)} s`;
      const said = lineOf(body.toString('utf8').replace(/<[^>]*>/g, ' '))?.slice(0, 200);
      return {
        type: 'fault',
        item: fault(url, `status ${status}${wait}${said ? `: ${said}` : ''}`),
        status,
        body,
        absent: false,
      };
    }
  }
}
