import { type Collection, collectTexts } from '#src/matching/collection.ts';
import { moments } from '#src/matching/standard.ts';
import { phraseStems } from '#src/matching/text/document.ts';
import { invertRows, type Postings } from '#src/matching/text/postings.ts';
import type { Task } from './relevance-data.ts';
import { fitted, type MethodFactory } from './relevance-methods.ts';

/** Examples' share of the mixture: `k / (k + 2.5)`. */
const HALF = 2.5;
/** How much of the background's mean row is taken from the examples'. */
const BACKGROUND_SHARE = 0.5;

/**
 * The simple hybrid that the data's README gives figures of, rebuilt from its description: for the phrase BM25 over
 * uni- and bigrams and the cosine in LSA-256, for the examples their centroid less half the background's on rows of
 * BM25 weights of length 1 and on whitened LSA; z-scores over the background, mixed by the number of examples.
 */
export const simpleHybrid: MethodFactory = (documents, known) => {
  const collection = collectTexts(documents, documents.length, [], fitted(known));
  const numbers = new Map(documents.map(({ id }, at) => [id, at]));
  const rows = bm25Rows(collection);
  const postings = invertRows(collection.index.rows, collection.index.vocabulary.size, collection.scored);
  return (task) => {
    const likes = task.likes.flatMap((id) => numbers.get(id) ?? []);
    const share = likes.length / (likes.length + HALF);
    const sum = new Float64Array(collection.scored);
    if (task.phrase) addPhrase(sum, collection, postings, task, likes.length === 0 ? 1 : 1 - share);
    if (likes.length > 0) addExamples(sum, collection, rows, likes, task.phrase ? share : 1);
    return task.pool.map((id) => sum[numbers.get(id) ?? -1] ?? Number.NEGATIVE_INFINITY);
  };
};

function addPhrase(
  sum: Float64Array,
  collection: Collection,
  postings: Postings,
  { phrase = '' }: Task,
  share: number,
): void {
  const { index, latent } = collection;
  const stems = phraseStems(phrase, index.vocabulary);
  const terms = new Map<number, number>();
  stems.forEach((stem, at) => {
    terms.set(stem, (terms.get(stem) ?? 0) + 1);
    const pair = index.vocabulary.findPair(stem, stems[at + 1] ?? -1);
    if (pair !== undefined) terms.set(pair, (terms.get(pair) ?? 0) + 1);
  });
  const { starts, documents, bm25 } = postings;
  const lexical = new Float64Array(sum.length);
  for (const [term, count] of terms)
    for (let at = starts[term] as number; at < (starts[term + 1] as number); at += 1)
      lexical[documents[at] as number] =
        (lexical[documents[at] as number] as number) + count * (bm25[at] as number);
  addStandardised(sum, lexical, share, collection);
  const query = new Map([...terms].map(([term, count]) => [term, count * index.idf(term)]));
  const meaning = latent?.toPhrases([{ text: phrase, terms: query }])[0];
  if (meaning) addStandardised(sum, meaning.all, share, collection);
}

function addExamples(
  sum: Float64Array,
  collection: Collection,
  rows: Float32Array,
  likes: readonly number[],
  share: number,
): void {
  const { index, latent } = collection;
  const { starts, terms } = index.rows;
  const centre = new Float64Array(index.vocabulary.size);
  const addRow = (row: number, weight: number): void => {
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1)
      centre[terms[at] as number] = (centre[terms[at] as number] as number) + weight * (rows[at] as number);
  };
  for (const like of likes) addRow(collection.positionOf(like), 1 / likes.length);
  const background = collection.scored - collection.backgroundStart;
  for (let row = collection.backgroundStart; row < collection.scored; row += 1)
    addRow(row, -BACKGROUND_SHARE / background);
  const lexical = Float64Array.from(sum, (_, row) => {
    let product = 0;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1)
      product += (centre[terms[at] as number] as number) * (rows[at] as number);
    return product;
  });
  addStandardised(sum, lexical, share, collection);
  if (!latent) return;
  // The vectors are centred on the papers of the fit, which takes the background away.
  const meaning = new Float64Array(sum.length);
  for (const cosines of latent.toPapers(likes.map(collection.positionOf)))
    cosines?.all.forEach((cosine, row) => {
      meaning[row] = (meaning[row] as number) + cosine / likes.length;
    });
  addStandardised(sum, meaning, share, collection);
}

function addStandardised(
  sum: Float64Array,
  raw: Float32Array | Float64Array,
  share: number,
  collection: Collection,
): void {
  const { mean, deviation } = moments(raw, collection.backgroundStart);
  for (let at = 0; at < sum.length; at += 1)
    sum[at] = (sum[at] as number) + (share * ((raw[at] as number) - mean)) / (deviation || 1);
}

function bm25Rows({ index }: Collection): Float32Array {
  const { starts, bm25 } = index.rows;
  const rows = bm25.slice();
  for (let row = 0; row + 1 < starts.length; row += 1) {
    let squares = 0;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1)
      squares += (bm25[at] as number) ** 2;
    const length = Math.sqrt(squares) || 1;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at += 1)
      rows[at] = (bm25[at] as number) / length;
  }
  return rows;
}
