import type { Config } from './config.ts';
import { createEmbeddingsEndpoint, type EmbeddingsEndpoint } from './digests/embeddings/endpoint.ts';
import { createHttpClient } from './papers/http/http-client.ts';

/**
 * Opens the way to the embeddings endpoint; null where none is set. The operator chose the address: it may be an
 * internal one, and requests to it are not spaced.
 */
export function openEndpoint(
  config: Pick<Config, 'embeddings' | 'papers'>,
): (EmbeddingsEndpoint & { close(): Promise<void> }) | null {
  if (!config.embeddings) return null;
  const http = createHttpClient({
    contact: config.papers.contact,
    now: () => new Date(),
    rateLimit: { turn: (_site, request) => request() },
    allowAddress: () => true,
  });
  return { ...createEmbeddingsEndpoint({ http }, config.embeddings), close: () => http.close() };
}
