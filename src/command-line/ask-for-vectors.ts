import { readConfig } from '#src/config.ts';
import { embeddingsFrom, inputsOf, isFreeOfAddresses } from '#src/digests/embeddings/embeddings.ts';
import { makeVectors, type VectorStore } from '#src/digests/embeddings/make-vectors.ts';
import { openEndpoint } from '#src/endpoint.ts';
import type { Embeddings } from '#src/matching/embeddings.ts';
import type { Text } from '#src/matching/text/lexical-index.ts';
import { CommandError, type Io, startProgress } from './io.ts';

/**
 * Asks the endpoint of EMBEDDINGS_URL for the vectors of papers and phrases; nothing is kept. When it fails, those that
 * came are used, and a warning says how many did not.
 * @throws CommandError when no endpoint is set
 */
export async function askForVectors(
  io: Io,
  { papers, phrases }: { readonly papers: readonly Text[]; readonly phrases: readonly string[] },
): Promise<Embeddings | undefined> {
  const config = readConfig();
  const endpoint = openEndpoint(config);
  if (!endpoint || !config.embeddings)
    throw new CommandError('EMBEDDINGS_URL is not set: set it, or leave --embeddings out.');
  const { batch, dimension } = config.embeddings;
  const sent = inputsOf(config.embeddings);
  const texts = [
    ...new Set([...papers.map(sent.paper), ...phrases.filter(isFreeOfAddresses).map(sent.phrase)]),
  ];
  const vectors = new Map<string, Float32Array>();
  const progress = startProgress(io, 'vectors');
  const store: VectorStore = {
    missing: async (_model, all) => [...all],
    dimension: async () => null,
    lease: async () => true,
    put: async (_model, rows) => {
      for (const { text, vector } of rows) if (vector) vectors.set(text, vector);
      progress.update(vectors.size, texts.length);
    },
  };
  try {
    const deps = { store, endpoint, now: () => new Date() };
    const report = await makeVectors(deps, { model: 'rank', texts, batch });
    const missing = texts.length - vectors.size;
    if (missing > 0)
      io.err(
        `${missing} texts have no vector, LSA is used for them: ${report?.fault ?? 'the endpoint refuses them'}`,
      );
    return embeddingsFrom(vectors, { papers, phrases, sent, dimension });
  } finally {
    progress.stop();
    await endpoint.close();
  }
}
