import { type Document, readDocument, TITLE_WEIGHT, termCounts } from './document.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';

/** BM25's constants (Robertson & Zaragoza, "The probabilistic relevance framework", 2009, eq. 3.15). */
export const K1 = 1.2;
export const B = 0.75;

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
 * BM25 weights of a set of documents, by document (rows) and by term (postings).
 * Terms of row `d` are `rowTerms[rowStarts[d] … rowStarts[d + 1]]`, their weights beside them.
 */
export type LexicalIndex = {
  readonly vocabulary: Vocabulary;
  readonly documents: readonly Document[];
  readonly frequencies: Frequencies;
  readonly rowStarts: Int32Array;
  readonly rowTerms: Int32Array;
  readonly rowWeights: Float32Array;
  /** Euclidean length of each row, never 0. */
  readonly norms: Float64Array;
  readonly postingStarts: Int32Array;
  readonly postingDocuments: Int32Array;
  readonly postingWeights: Float32Array;
  idf(term: number): number;
};

type Text = { readonly title: string; readonly abstract: string };

/** Indexes texts; frequencies are counted on the texts themselves. Cost: about 0.1 ms a text. */
export function createLexicalIndex(texts: readonly Text[]): LexicalIndex {
  const vocabulary = createVocabulary();
  const documents = texts.map((text) => readDocument(text, vocabulary));
  const counts = documents.map((document) => termCounts(document, vocabulary));
  const frequencies = countFrequencies(documents, counts, vocabulary.size);
  const idf = (term: number): number => inverseFrequency(frequencies, term);
  const rows = weighRows(documents, counts, frequencies, idf);
  return { vocabulary, documents, frequencies, ...rows, ...invert(rows, vocabulary.size), idf };
}

/** BM25's idf in the form that is never negative. */
function inverseFrequency({ documents, documentFrequency }: Frequencies, term: number): number {
  const found = documentFrequency(term);
  return Math.log(1 + (Math.max(documents, found) - found + 0.5) / (found + 0.5));
}

const lengthOf = ({ title, body }: Document): number => title.length * TITLE_WEIGHT + body.length;

function countFrequencies(
  documents: readonly Document[],
  counts: readonly ReadonlyMap<number, number>[],
  size: number,
): Frequencies {
  const found = new Int32Array(size);
  for (const terms of counts) for (const term of terms.keys()) found[term] = (found[term] as number) + 1;
  const length = documents.reduce((sum, document) => sum + lengthOf(document), 0);
  return {
    documents: documents.length,
    averageLength: Math.max(1, length / Math.max(1, documents.length)),
    documentFrequency: (term) => found[term] ?? 0,
  };
}

type Rows = Pick<LexicalIndex, 'rowStarts' | 'rowTerms' | 'rowWeights' | 'norms'>;

function weighRows(
  documents: readonly Document[],
  counts: readonly ReadonlyMap<number, number>[],
  { averageLength }: Frequencies,
  idf: (term: number) => number,
): Rows {
  const rowStarts = new Int32Array(documents.length + 1);
  counts.forEach((terms, row) => {
    rowStarts[row + 1] = (rowStarts[row] as number) + terms.size;
  });
  const rowTerms = new Int32Array(rowStarts.at(-1) ?? 0);
  const rowWeights = new Float32Array(rowTerms.length);
  const norms = new Float64Array(documents.length);
  documents.forEach((document, row) => {
    const saturation = K1 * (1 - B + (B * lengthOf(document)) / averageLength);
    let at = rowStarts[row] as number;
    let squares = 0;
    for (const [term, count] of counts[row] as ReadonlyMap<number, number>) {
      const weight = Math.fround((idf(term) * count * (K1 + 1)) / (count + saturation));
      rowTerms[at] = term;
      rowWeights[at] = weight;
      squares += weight * weight;
      at += 1;
    }
    norms[row] = Math.sqrt(squares) || 1;
  });
  return { rowStarts, rowTerms, rowWeights, norms };
}

function invert({ rowStarts, rowTerms, rowWeights }: Rows, terms: number) {
  const postingStarts = new Int32Array(terms + 1);
  for (const term of rowTerms) postingStarts[term + 1] = (postingStarts[term + 1] as number) + 1;
  for (let term = 0; term < terms; term += 1)
    postingStarts[term + 1] = (postingStarts[term + 1] as number) + (postingStarts[term] as number);
  const next = postingStarts.slice(0, terms);
  const postingDocuments = new Int32Array(rowTerms.length);
  const postingWeights = new Float32Array(rowTerms.length);
  for (let row = 0; row + 1 < rowStarts.length; row += 1)
    for (let at = rowStarts[row] as number; at < (rowStarts[row + 1] as number); at += 1) {
      const place = next[rowTerms[at] as number] as number;
      next[rowTerms[at] as number] = place + 1;
      postingDocuments[place] = row;
      postingWeights[place] = rowWeights[at] as number;
    }
  return { postingStarts, postingDocuments, postingWeights };
}
