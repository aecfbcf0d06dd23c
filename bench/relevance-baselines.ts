import { phraseStems } from '#src/matching/text/document.ts';
import { createLexicalIndex, type LexicalIndex } from '#src/matching/text/lexical-index.ts';
import { invertRows, type Postings } from '#src/matching/text/postings.ts';
import type { Doc } from './relevance-data.ts';
import type { MethodFactory } from './relevance-methods.ts';

type Positions = {
  readonly index: LexicalIndex;
  readonly postings: Postings;
  readonly at: ReadonlyMap<string, number>;
};
let last: { documents: readonly Doc[]; positions: Positions } | undefined;

/** The index of a set, made once; its frequencies are those of all its documents, which flatters these baselines a little. */
function indexed(documents: readonly Doc[]): Positions {
  if (last?.documents !== documents) {
    const index = createLexicalIndex(documents);
    const postings = invertRows(index.rows, index.vocabulary.size, documents.length);
    last = {
      documents,
      positions: { index, postings, at: new Map(documents.map(({ id }, at) => [id, at])) },
    };
  }
  return last.positions;
}

/** Sum of the BM25 weights of the phrase's words. */
export const bm25: MethodFactory = (documents) => {
  const { index, postings, at } = indexed(documents);
  return (task) => {
    const scores = new Float64Array(documents.length);
    for (const term of phraseStems(task.phrase ?? '', index.vocabulary))
      forEachPosting(postings, term, (document, weight) => {
        scores[document] = (scores[document] as number) + weight;
      });
    return task.pool.map((id) => scores[at.get(id) ?? -1] ?? 0);
  };
};

/** 1 where every word of the phrase (without the name of its list) occurs, else 0: what alert mails do. */
export const keywordAnd: MethodFactory = (documents) => {
  const { index, postings, at } = indexed(documents);
  return (task) => {
    const terms = [...new Set(phraseStems(task.keywords ?? task.phrase ?? '', index.vocabulary))];
    const found = new Int32Array(documents.length);
    for (const term of terms)
      forEachPosting(postings, term, (document) => {
        found[document] = (found[document] as number) + 1;
      });
    return task.pool.map((id) => (found[at.get(id) ?? -1] === terms.length ? 1 : 0));
  };
};

function forEachPosting(
  { starts, documents, bm25: weights }: Postings,
  term: number,
  visit: (document: number, weight: number) => void,
): void {
  for (let at = starts[term] as number; at < (starts[term + 1] as number); at += 1)
    visit(documents[at] as number, weights[at] as number);
}
