import { atOnce, mapInSteps, type Steps } from '../steps.ts';
import {
  createTermCounter,
  type Document,
  forEachTerm,
  readDocument,
  type TermCounts,
  TITLE_WEIGHT,
} from './document.ts';
import { createPairTable, type PairTable } from './pair-table.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';

/** BM25's constants (Robertson & Zaragoza, "The probabilistic relevance framework", 2009, eq. 3.15). */
export const K1 = 1.2;
const B = 0.75;

/** How common terms are in a collection: what inverse document frequencies are made of. */
export type Frequencies = {
  /** Documents counted. */
  readonly documents: number;
  /** Mean length in weighted words. */
  readonly averageLength: number;
  /** In how many documents a term occurs. */
  readonly documentFrequency: (term: number) => number;
};

/**
 * The terms of documents with three weights each: BM25's for prose, the same with the words of an abstract counted by how
 * early they stand, for phrases, and for comparing documents with one another
 * `(1 + ln tf) × idf` divided by the row's Euclidean length, so that the product of two rows is their cosine.
 * Terms of row `d` stand at `starts[d] … starts[d + 1]`, in ascending order. BM25's weights are of the documents that are scored.
 */
export type Rows = {
  readonly starts: Int32Array;
  readonly terms: Int32Array;
  readonly bm25: Float32Array;
  readonly early: Float32Array;
  readonly unit: Float32Array;
};

/** Texts made searchable. */
export type LexicalIndex = {
  readonly vocabulary: Vocabulary;
  /** Of the texts that are shown. */
  readonly documents: readonly Document[];
  readonly frequencies: Frequencies;
  readonly rows: Rows;
  /** BM25's idf in the form that is never negative. */
  idf(term: number): number;
};

/** What is read of a paper: words for the index, categories (`cs.CL`) beside it. */
export type Text = {
  readonly title: string;
  readonly abstract: string;
  readonly categories?: readonly string[];
};

/** Frequencies counted beforehand on a larger collection, with the vocabulary they are numbered by. */
export type Counted = { readonly vocabulary: Vocabulary; readonly frequencies: Frequencies };

/**
 * Indexes texts. Without `counted`, frequencies are those of the texts themselves.
 * Pairs of words that only one text holds are left out: they can't tell texts apart.
 * @param scored the first so many get scores; the others are only compared with
 * @param shown of so many it can be told where words stand
 */
export const createLexicalIndex = (...given: Parameters<typeof indexTexts>): LexicalIndex =>
  atOnce(indexTexts(...given));

/** {@link createLexicalIndex} in steps. */
export function* indexTexts(
  texts: readonly Text[],
  counted?: Counted,
  scored: number = texts.length,
  shown: number = scored,
): Steps<LexicalIndex> {
  const vocabulary = createVocabulary(counted?.vocabulary);
  const documents = yield* mapInSteps(texts, (text) => readDocument(text, vocabulary));
  yield* numberSharedPairs(documents, vocabulary);
  const counts = yield* mapInSteps(documents, createTermCounter(vocabulary, vocabulary.findPair));
  const found = documentFrequencies(counts, vocabulary.size);
  const frequencies = counted?.frequencies ?? {
    documents: documents.length,
    averageLength: averageLength(documents),
    documentFrequency: (term: number) => found[term] ?? 0,
  };
  const rarities = Float64Array.from({ length: vocabulary.size }, (_, term) =>
    inverseFrequency(frequencies, term),
  );
  const idf = (term: number): number => rarities[term] ?? inverseFrequency(frequencies, term);
  yield;
  const rows = yield* weighRows(documents, counts, frequencies.averageLength, idf, scored);
  return { vocabulary, documents: documents.slice(0, shown), frequencies, rows, idf };
}

/** Numbers the pairs of words that texts share. On its own, so that the pairs which nobody shares (25 MB) are not kept. */
function* numberSharedPairs(documents: readonly Document[], vocabulary: Vocabulary): Steps<unknown> {
  const firstHolders = createPairTable();
  return yield* mapInSteps(documents, (document, holder) =>
    addSharedPairs(document, holder, vocabulary, firstHolders),
  );
}

/** Numbers the pairs of words that a text shares with one before it; those new to it are noted as its own. */
function addSharedPairs(
  document: Document,
  holder: number,
  vocabulary: Vocabulary,
  firstHolders: PairTable,
): void {
  forEachTerm(document, vocabulary, (stem, previous) => {
    if (previous < 0 || vocabulary.findPair(previous, stem) !== undefined) return;
    const first = firstHolders.get(previous, stem);
    if (first === undefined) firstHolders.set(previous, stem, holder);
    else if (first !== holder) vocabulary.pair(previous, stem);
  });
}

function inverseFrequency({ documents, documentFrequency }: Frequencies, term: number): number {
  const found = documentFrequency(term);
  return Math.log(1 + (Math.max(documents, found) - found + 0.5) / (found + 0.5));
}

const lengthOf = ({ title, body }: Document): number => title.length * TITLE_WEIGHT + body.length;

/** Mean length of documents in weighted words, at least 1. */
export function averageLength(documents: readonly Document[]): number {
  const length = documents.reduce((sum, document) => sum + lengthOf(document), 0);
  return Math.max(1, length / Math.max(1, documents.length));
}

/** In how many documents each term occurs. */
export function documentFrequencies(counts: readonly TermCounts[], size: number): Int32Array {
  const found = new Int32Array(size);
  for (const { terms } of counts) for (const term of terms) found[term] = (found[term] as number) + 1;
  return found;
}

/** Weighs the terms of documents, see {@link Rows}; in steps. The first `scored` are. */
export function* weighRows(
  documents: readonly Document[],
  counts: readonly TermCounts[],
  meanLength: number,
  idf: (term: number) => number,
  scored: number,
): Steps<Rows> {
  const starts = new Int32Array(documents.length + 1);
  counts.forEach(({ terms }, row) => {
    starts[row + 1] = (starts[row] as number) + terms.length;
  });
  const size = starts.at(-1) ?? 0;
  const rows = {
    starts,
    terms: new Int32Array(size),
    bm25: new Float32Array(starts[scored] as number),
    early: new Float32Array(starts[scored] as number),
    unit: new Float32Array(size),
  };
  yield* mapInSteps(documents, (document, row) => {
    const saturation = K1 * (1 - B + (B * lengthOf(document)) / meanLength);
    fillRow(rows, starts[row] as number, counts[row] as TermCounts, saturation, idf);
  });
  return rows;
}

function fillRow(
  rows: Rows,
  start: number,
  { terms, counts, early }: TermCounts,
  saturation: number,
  idf: (term: number) => number,
): void {
  rows.terms.set(terms, start);
  let squares = 0;
  for (let each = 0; each < terms.length; each += 1) {
    const count = counts[each] as number;
    const rarity = idf(terms[each] as number);
    const weight = rarity * (1 + Math.log(count));
    const bm25 = (frequency: number): number => (rarity * frequency * (K1 + 1)) / (frequency + saturation);
    if (start < rows.bm25.length) {
      rows.bm25[start + each] = bm25(count);
      rows.early[start + each] = bm25(early?.[each] ?? count);
    }
    rows.unit[start + each] = weight;
    squares += weight * weight;
  }
  const length = Math.sqrt(squares) || 1;
  for (let at = start; at < start + terms.length; at += 1) rows.unit[at] = (rows.unit[at] as number) / length;
}
