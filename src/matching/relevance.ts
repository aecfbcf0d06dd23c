import { phraseTerms } from './text/document.ts';
import { K1, type LexicalIndex } from './text/lexical-index.ts';

/** A share of a relevance: of a term; or, with `term` null, of the standardisation (negative: what any paper has). */
export type Part = { readonly term: string | null; readonly weight: number };

/**
 * How well each candidate fits one phrase or one example paper, standardised so that it compares between topics
 * and days: 0 = like an average paper, 1 = clearly about it. Positions are those of the candidates.
 */
export type Relevance = {
  readonly scores: Float64Array;
  /** What makes up one candidate's score; the weights add up to it. */
  explain(position: number): Part[];
};

/** Relevance by the words that texts share. */
export type RelevanceModel = {
  phrase(text: string): Relevance;
  /** Relevance to the text at a position of the index (a candidate, or context behind the candidates). */
  paper(position: number): Relevance;
};

/** Weight of a pair of neighbouring words in a phrase; a single word has 1. */
const PAIR_WEIGHT = 0.5;
/** Share of the greatest possible BM25 score at which a paper is clearly about a phrase. */
const PHRASE_FULL = 0.6;
/** Cosine above the mean at which two papers are clearly about the same. */
const PAPER_FULL = 0.2;

/** Builds the model; only the first `candidates` texts of the index are scored. */
export function createRelevanceModel(index: LexicalIndex, candidates: number): RelevanceModel {
  return {
    phrase: (text) => phraseRelevance(index, candidates, text),
    paper: (position) => paperRelevance(index, candidates, position),
  };
}

function phraseRelevance(index: LexicalIndex, candidates: number, text: string): Relevance {
  const { stems, pairs } = phraseTerms(text, index.vocabulary);
  const weights = new Map<number, number>([
    ...stems.map((term) => [term, 1] as const),
    ...pairs.map((term) => [term, PAIR_WEIGHT] as const),
  ]);
  let greatest = 0;
  for (const [term, weight] of weights) greatest += weight * index.idf(term) * (K1 + 1);
  // A word that no text holds counts too: a paper with one word of four is not what was asked for.
  const missing = Math.max(1, text.split(/\s+/u).length) / Math.max(1, stems.length);
  const scale = 1 / (greatest * PHRASE_FULL * Math.max(1, missing) || 1);
  for (const [term, weight] of weights) weights.set(term, weight * scale);
  return linear(index, candidates, weights, () => 1, 0);
}

function paperRelevance(index: LexicalIndex, candidates: number, position: number): Relevance {
  const weights = new Map<number, number>();
  const scale = 1 / ((index.norms[position] as number) * PAPER_FULL);
  for (let at = index.rowStarts[position] as number; at < (index.rowStarts[position + 1] as number); at += 1)
    weights.set(index.rowTerms[at] as number, (index.rowWeights[at] as number) * scale);
  const raw = linear(index, candidates, weights, (row) => 1 / (index.norms[row] as number), 0);
  const mean = raw.scores.reduce((sum, score) => sum + score, 0) / Math.max(1, candidates);
  return linear(index, candidates, weights, (row) => 1 / (index.norms[row] as number), -mean);
}

/** Scores that are a sum over terms of `weight × row weight × factor of the row`, plus a constant. */
function linear(
  index: LexicalIndex,
  candidates: number,
  weights: ReadonlyMap<number, number>,
  factor: (row: number) => number,
  offset: number,
): Relevance {
  const scores = new Float64Array(candidates).fill(offset);
  for (const [term, weight] of weights)
    for (
      let at = index.postingStarts[term] as number;
      at < (index.postingStarts[term + 1] as number);
      at += 1
    ) {
      const row = index.postingDocuments[at] as number;
      if (row < candidates)
        scores[row] = (scores[row] as number) + weight * (index.postingWeights[at] as number) * factor(row);
    }
  return {
    scores,
    explain(row) {
      const parts: Part[] = offset === 0 ? [] : [{ term: null, weight: offset }];
      for (let at = index.rowStarts[row] as number; at < (index.rowStarts[row + 1] as number); at += 1) {
        const weight = weights.get(index.rowTerms[at] as number);
        if (weight !== undefined)
          parts.push({
            term: index.vocabulary.text(index.rowTerms[at] as number),
            weight: weight * (index.rowWeights[at] as number) * factor(row),
          });
      }
      return parts.toSorted((a, b) => b.weight - a.weight);
    },
  };
}
