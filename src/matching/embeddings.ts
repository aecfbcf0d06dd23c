import type { Cosines, LatentSpace } from './latent.ts';
import { cosines } from './latent.ts';
import { createMatrix, type FixedVector, toFixed } from './products.ts';
import { moments } from './standard.ts';
import type { Text } from './text/lexical-index.ts';

/** Vectors of an embeddings model, all of one length and of Euclidean length 1. */
export type Embeddings = {
  /** Numbers in a vector. */
  readonly dimension: number;
  /** Of a paper; undefined where there is none. */
  paper(text: Text): Float32Array | undefined;
  /** Of a phrase; undefined where there is none. */
  phrase(text: string): Float32Array | undefined;
};

/** Background papers that need vectors for scores to be standardised by them. */
const LEAST_BACKGROUND = 100;
/** Characters of a paper that a model is given: about 2,000 tokens, which most read whole. */
const PAPER_CHARACTERS = 8_000;

/** What a model is given of a paper: nothing but its title and abstract. */
export function paperInput({ title, abstract }: Text): string {
  return `${title}\n\n${abstract}`.slice(0, PAPER_CHARACTERS).toWellFormed().trim();
}

/** Looks vectors up by {@link paperInput} and by phrase. */
export function embeddingsOf(vectors: {
  readonly dimension: number;
  readonly papers: ReadonlyMap<string, Float32Array>;
  readonly phrases: ReadonlyMap<string, Float32Array>;
}): Embeddings {
  return {
    dimension: vectors.dimension,
    paper: (text) => vectors.papers.get(paperInput(text)),
    phrase: (text) => vectors.phrases.get(text),
  };
}

/**
 * The texts of a collection in the vectors of a model. Where a phrase or an example has no vector, `instead` answers
 * (latent semantic analysis); where single papers have none, they are given its cosines, brought to the mean and
 * deviation that the model's have over the background. With too few vectors in the background it is `instead` altogether.
 * @param on.backgroundStart position of the first background text; the last is before `scored`
 */
export function embeddedSpace(on: {
  readonly texts: readonly Text[];
  readonly backgroundStart: number;
  readonly scored: number;
  readonly embeddings: Embeddings;
  readonly instead: () => LatentSpace | undefined;
}): LatentSpace | undefined {
  const { scored, backgroundStart, embeddings } = on;
  const { matrix, known } = gather(on.texts, embeddings);
  const measured = positions(known, backgroundStart, scored, 1);
  if (measured.length < LEAST_BACKGROUND) return on.instead();
  const missing = positions(known, 0, scored, 0);
  let space: { readonly is: LatentSpace | undefined } | undefined;
  const instead = (): LatentSpace | undefined => (space ??= { is: on.instead() }).is;

  /** Cosines with each vector; those of texts that have none, and all where there is no vector, are taken from `other`, at the same scale. */
  const compare = (wanted: readonly Wanted[]): (Cosines | undefined)[] => {
    const own = cosines(
      matrix,
      scored,
      wanted.flatMap(({ vector }) => vector ?? []),
    ).values();
    return wanted.map(({ vector, other }) => {
      if (!vector) return other();
      const found = own.next().value as Cosines;
      if (missing.length === 0) return found;
      return fillIn(found, { missing, measured, isKnown: (at) => known[at] === 1 }, other());
    });
  };
  return {
    toPhrases: (phrases) =>
      compare(
        phrases.map((phrase) => {
          const vector = embeddings.phrase(phrase.text);
          return { vector: vector && toFixed(vector), other: () => instead()?.toPhrases([phrase])[0] };
        }),
      ),
    toPapers: (positions) =>
      compare(
        positions.map((position) => ({
          vector: known[position] === 1 ? matrix.row(position) : undefined,
          other: () => instead()?.toPapers([position])[0],
        })),
      ),
  };
}

type Wanted = { readonly vector: FixedVector | undefined; readonly other: () => Cosines | undefined };

/** Vectors of texts one after the other, zeros where there is none. */
function gather(texts: readonly Text[], { dimension, paper }: Embeddings) {
  const matrix = createMatrix(texts.length, dimension);
  const known = new Uint8Array(texts.length);
  texts.forEach((text, at) => {
    const vector = paper(text);
    if (!vector) return;
    matrix.write(at, vector);
    known[at] = 1;
  });
  return { matrix, known };
}

function positions(flags: Uint8Array, from: number, to: number, wanted: number): Int32Array {
  const found: number[] = [];
  for (let at = from; at < to; at += 1) if (flags[at] === wanted) found.push(at);
  return Int32Array.from(found);
}

type Gaps = {
  readonly missing: Int32Array;
  readonly measured: Int32Array;
  isKnown(position: number): boolean;
};

function fillIn(own: Cosines, { missing, measured, isKnown }: Gaps, other: Cosines | undefined): Cosines {
  const usual = moments(Float64Array.from(measured, (at) => own.all[at] as number));
  const theirs = other && moments(Float64Array.from(measured, (at) => other.all[at] as number));
  const factor = theirs && theirs.deviation > 0 ? usual.deviation / theirs.deviation : 0;
  const constant = usual.mean - factor * (theirs?.mean ?? 0);
  const scaled = (cosine: number): number => constant + factor * cosine;
  for (const at of missing) own.all[at] = scaled(other?.all[at] ?? 0);
  // Only the ways to single ones are kept, see Cosines.
  const [ownOne, theirOne] = [own.one, other?.one ?? (() => 0)];
  return { all: own.all, one: (at) => (isKnown(at) ? ownOne(at) : scaled(theirOne(at))) };
}
