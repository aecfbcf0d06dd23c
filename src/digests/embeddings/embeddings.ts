import { utcDate } from '#src/database/ids.ts';
import { type Embeddings, embeddingsOf, paperInput } from '#src/matching/embeddings.ts';
import type { Text } from '#src/matching/text/lexical-index.ts';
import type { SourceMemory } from '#src/papers/source.ts';
import { type SourceHealth, type SourceStatus, statusOf, unpolled } from '#src/papers/source-health.ts';
import type { EmbeddingStore } from './embedding-store.ts';
import type { EmbeddingsEndpoint, EmbeddingsSettings } from './endpoint.ts';
import { type MakeReport, makeVectors } from './make-vectors.ts';

/** Name of the embeddings among the sources of `paperboy sources`. */
export const EMBEDDINGS = 'embeddings';

/** Vectors of papers and phrases, made beforehand by an endpoint of the operator's and kept in the database. */
export type EmbeddingsService = ReturnType<typeof createEmbeddings>;

const HEALTH = `health:${EMBEDDINGS}`;

/**
 * Keeps the vectors that matching asks for. Only titles, abstracts and followed phrases are ever sent; a phrase that
 * holds an address is not.
 * @param deps.papers what editions are ranked with: candidates, the background of statistics, what readers marked
 * @param deps.phrases those that are followed, most followed first
 */
export function createEmbeddings(deps: {
  readonly store: EmbeddingStore;
  readonly memory: SourceMemory;
  readonly settings: EmbeddingsSettings;
  readonly papers: () => Promise<readonly Text[]>;
  readonly phrases: () => Promise<readonly string[]>;
  readonly now: () => Date;
}) {
  const { store, memory, settings, now } = deps;
  const model = modelOf(settings);
  const sent = inputsOf(settings);
  const health = async () => (await memory.recall(HEALTH)) as SourceHealth | undefined;

  return {
    /** Changes when papers got vectors: an index made before is then out of date. */
    version: async (): Promise<string> => (await health())?.newAt ?? '',

    /** The vectors of papers, and of all followed phrases; undefined where there are none. */
    async load(papers: readonly Text[]): Promise<Embeddings | undefined> {
      const phrases = (await deps.phrases()).filter(isFreeOfAddresses);
      const vectors = await store.load(model, [...papers.map(sent.paper), ...phrases.map(sent.phrase)]);
      return embeddingsFrom(vectors, { papers, phrases, sent, dimension: settings.dimension });
    },

    /** Asks for the vectors that are missing, see {@link makeVectors}; undefined while another process does. */
    async make(endpoint: EmbeddingsEndpoint, signal?: AbortSignal): Promise<MakeReport | undefined> {
      const papers = await deps.papers();
      // Each once and in alphabetical order: nothing says who follows what, or how many do.
      const asked = (await deps.phrases()).filter(isFreeOfAddresses).map(sent.phrase).toSorted();
      const texts = [...new Set([...papers.map(sent.paper), ...asked])].filter((text) => text !== '');
      const request = { model, texts, batch: settings.batch, ...(signal ? { signal } : {}) };
      const report = await makeVectors({ store, endpoint, now }, request);
      if (!report) return undefined;
      await store.keep(model, texts, utcDate(now()));
      await memory.remember(HEALTH, healthAfter(await health(), report, texts.length, now()));
      return report;
    },

    /** How the last run went, in the form of a source. */
    async status(): Promise<SourceStatus> {
      const known = await health();
      const at = now();
      if (known) return statusOf(known, null, at);
      return { ...statusOf(unpolled(EMBEDDINGS, at), null, at), state: 'never' };
    },
  };
}

/** What makes vectors comparable: model and length. Without a name the endpoint's address stands for the model. */
function modelOf({ model, url, dimension }: EmbeddingsSettings): string {
  return `${model ?? url}${dimension === null ? '' : ` (${dimension})`}`;
}

/** What is sent of a paper and of a phrase. */
export function inputsOf({ paperPrefix, phrasePrefix }: EmbeddingsSettings) {
  const prefixed = (prefix: string, text: string): string => (prefix === '' ? text : `${prefix} ${text}`);
  return {
    paper: (text: Text): string => prefixed(paperPrefix, paperInput(text)),
    phrase: (text: string): string => prefixed(phrasePrefix, text),
  };
}

/** Readers write phrases as they like; one with an address in it stays here. */
export const isFreeOfAddresses = (phrase: string): boolean => !/\S@\S/.test(phrase);

/** Puts vectors, found by what was sent, in matching's hands; those of another length are left out. */
export function embeddingsFrom(
  vectors: ReadonlyMap<string, Float32Array>,
  given: {
    readonly papers: readonly Text[];
    readonly phrases: readonly string[];
    readonly sent: ReturnType<typeof inputsOf>;
    readonly dimension: number | null;
  },
): Embeddings | undefined {
  const dimension = given.dimension ?? [...vectors.values()][0]?.length;
  if (dimension === undefined) return undefined;
  const find = (sent: string): Float32Array | undefined => {
    const vector = vectors.get(sent);
    return vector?.length === dimension ? vector : undefined;
  };
  const found = <Key>(keys: readonly Key[], textOf: (key: Key) => string, sentOf: (key: Key) => string) =>
    new Map(
      keys.flatMap((key) => {
        const vector = find(sentOf(key));
        return vector ? [[textOf(key), vector] as const] : [];
      }),
    );
  return embeddingsOf({
    dimension,
    papers: found(given.papers, paperInput, given.sent.paper),
    phrases: found(given.phrases, (phrase) => phrase, given.sent.phrase),
  });
}

function healthAfter(
  before: SourceHealth | undefined,
  { made, waiting, fault }: MakeReport,
  wanted: number,
  at: Date,
): SourceHealth {
  const message = `${waiting} texts have no vector and are ranked by latent semantic analysis: ${fault}`;
  return {
    ...unpolled(EMBEDDINGS, at),
    succeededAt: fault === undefined ? at.toISOString() : (before?.succeededAt ?? null),
    newAt: made > 0 ? at.toISOString() : (before?.newAt ?? null),
    failures: fault === undefined ? 0 : (before?.failures ?? 0) + 1,
    listings: wanted,
    created: made,
    faults: fault === undefined ? [] : [{ where: EMBEDDINGS, message }],
  };
}
