import { readConfig } from '#src/config.ts';
import { embeddingsFrom, inputsOf } from '#src/digests/embeddings/embeddings.ts';
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
  const texts = [...new Set([...papers.map(sent.paper), ...phrases.map(sent.phrase)])];
  const progress = startProgress(io, 'vectors');
  const vectors = new Map<string, Float32Array>();
  try {
    for (let at = 0; at < texts.length; at += batch) {
      const some = texts.slice(at, at + batch);
      const outcome = await endpoint.embed(some);
      if (outcome.type !== 'ok') {
        io.err(
          `${texts.length - vectors.size} texts have no vector, LSA is used for them: ${outcome.message}`,
        );
        break;
      }
      some.forEach((text, place) => vectors.set(text, outcome.vectors[place] as Float32Array));
      progress.update(vectors.size, texts.length);
    }
    return embeddingsFrom(vectors, { papers, phrases, sent, dimension });
  } finally {
    progress.stop();
    await endpoint.close();
  }
}
