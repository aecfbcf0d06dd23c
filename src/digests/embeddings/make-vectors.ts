import { randomUUID } from 'node:crypto';
import { utcDate } from '#src/database/ids.ts';
import type { EmbeddingStore } from './embedding-store.ts';
import type { EmbeddingsEndpoint, EmbedOutcome } from './endpoint.ts';

/** What a run did. */
export type MakeReport = {
  /** Vectors made and stored. */
  readonly made: number;
  /** Texts the endpoint does not take. */
  readonly refused: number;
  /** Texts that still wait for a vector. */
  readonly waiting: number;
  /** What ended the run early. */
  readonly fault?: string;
};

/** Where vectors are kept. */
export type VectorStore = Pick<EmbeddingStore, 'missing' | 'put' | 'dimension' | 'lease'>;

/** Milliseconds a run has the endpoint for itself with every batch: longer than a batch takes with all its retries. */
const LEASE_MS = 15 * 60_000;
/** Texts refused one after the other before any was taken: then it is not the texts. */
const REFUSALS = 10;

/**
 * Asks the endpoint for the vectors that texts lack, batch by batch; each is stored when it comes, so that a run that
 * ends early is gone on with by the next. A batch that is too much for the endpoint is halved, down to the one text that
 * it does not take. Undefined while another process is at it.
 * @param request.texts as they are to be sent
 */
export async function makeVectors(
  deps: {
    readonly store: VectorStore;
    readonly endpoint: EmbeddingsEndpoint;
    readonly now: () => Date;
  },
  request: {
    readonly model: string;
    readonly texts: readonly string[];
    readonly batch: number;
    readonly signal?: AbortSignal;
  },
): Promise<MakeReport | undefined> {
  const { store, now } = deps;
  const { model } = request;
  const holder = randomUUID();
  const leaseFor = (ms: number) => store.lease(holder, now(), new Date(now().getTime() + ms));
  if (!(await leaseFor(LEASE_MS))) return undefined;
  try {
    const missing = await store.missing(model, request.texts);
    const run: Run = { ...deps, model, dimension: await store.dimension(model), made: 0, refused: [] };
    let fault: string | undefined;
    for (let at = 0; at < missing.length && fault === undefined; at += request.batch) {
      if (request.signal?.aborted || !(await leaseFor(LEASE_MS))) break;
      fault = await makeBatch(run, missing.slice(at, at + request.batch));
    }
    if (run.made > 0) await putRefused(run);
    const refused = run.made > 0 ? run.refused.length : 0;
    const waiting = missing.length - run.made - refused;
    return { made: run.made, refused, waiting, ...(fault === undefined ? {} : { fault }) };
  } finally {
    await leaseFor(0);
  }
}

type Run = {
  readonly store: VectorStore;
  readonly endpoint: EmbeddingsEndpoint;
  readonly now: () => Date;
  readonly model: string;
  dimension: number | null;
  made: number;
  readonly refused: string[];
};

/** Makes and stores the vectors of some texts. @returns the fault that ends the run, if any */
async function makeBatch(run: Run, texts: readonly string[]): Promise<string | undefined> {
  const outcome = await run.endpoint.embed(texts);
  switch (outcome.type) {
    case 'ok':
      return await keep(run, texts, outcome.vectors);
    case 'failed':
      return outcome.message;
    case 'too-much':
      return await makeLess(run, texts, outcome);
  }
}

async function makeLess(
  run: Run,
  texts: readonly string[],
  { message }: Extract<EmbedOutcome, { type: 'too-much' }>,
): Promise<string | undefined> {
  if (texts.length === 1) {
    run.refused.push(...texts);
    return run.made === 0 && run.refused.length >= REFUSALS ? message : undefined;
  }
  const half = Math.ceil(texts.length / 2);
  return (await makeBatch(run, texts.slice(0, half))) ?? (await makeBatch(run, texts.slice(half)));
}

async function keep(
  run: Run,
  texts: readonly string[],
  vectors: readonly Float32Array[],
): Promise<string | undefined> {
  const dimension = vectors[0]?.length ?? 0;
  run.dimension ??= dimension;
  if (dimension !== run.dimension)
    return `the endpoint gives vectors of ${dimension} numbers, those stored for "${run.model}" have ${run.dimension}: name the new model in EMBEDDINGS_MODEL`;
  const rows = texts.map((text, at) => ({ text, vector: vectors[at] ?? null }));
  await run.store.put(run.model, rows, utcDate(run.now()));
  run.made += texts.length;
  return undefined;
}

/** Remembered only once others were taken: a wrong model, say, has every text refused. */
async function putRefused({ store, model, refused, now }: Run): Promise<void> {
  if (refused.length > 0)
    await store.put(
      model,
      refused.map((text) => ({ text, vector: null })),
      utcDate(now()),
    );
}
