import { seeded } from './ranking-metrics.ts';
import type { Doc } from './relevance-data.ts';
import type { MethodFactory } from './relevance-methods.ts';

/** arxiv-sanity-lite's features: uni- and bigrams, the 20,000 most frequent of those in ≥ 5 papers and ≤ 10 %. */
const FEATURES = 20_000;
const LEAST_PAPERS = 5;
const MOST_SHARE = 0.1;
/** Its linear SVM: squared hinge loss, C = 0.01, balanced classes. The logistic model has scikit-learn's C = 1. */
const SVM_C = 0.01;
const LOGISTIC_C = 1;
const EPOCHS = 60;

type Loss = 'svm' | 'logistic';
type Row = { readonly terms: Int32Array; readonly values: Float32Array };
type Example = { readonly row: Row; readonly label: 1 | -1; readonly cost: number; readonly norm: number };

/**
 * A linear model on tf-idf as arxiv-sanity-lite trains it: the examples against every other paper known at the
 * cut. Tokens are scikit-learn's (`\b\w\w+\b`, lower case, stop words left out); tf is 1 + ln tf, idf smoothed,
 * rows of length 1.
 */
export const linearModel =
  (loss: Loss): MethodFactory =>
  (documents, known) => {
    const { rows, positions } = features(documents, known);
    const negatives = known.map(({ id }) => positions.get(id) as number);
    const models = new Map<string, Float64Array>();
    return (task) => {
      const key = task.likes.join(' ');
      let weights = models.get(key);
      if (!weights) {
        const likes = task.likes.flatMap((id) => positions.get(id) ?? []);
        const others = negatives.filter((at) => !likes.includes(at));
        weights = train(loss, examplesOf(loss, rows, likes, others));
        models.set(key, weights);
      }
      const model = weights;
      return task.pool.map((id) => dot(rows[positions.get(id) as number] as Row, model));
    };
  };

function features(documents: readonly Doc[], known: readonly Doc[]) {
  const found = new Map<string, number>();
  for (const doc of known)
    for (const term of new Set(grams(doc))) found.set(term, (found.get(term) ?? 0) + 1);
  const kept = [...found]
    .filter(([, papers]) => papers >= LEAST_PAPERS && papers <= MOST_SHARE * known.length)
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, FEATURES);
  const numbers = new Map(kept.map(([term], number) => [term, number]));
  const idf = kept.map(([, papers]) => Math.log((1 + known.length) / (1 + papers)) + 1);
  return {
    rows: documents.map((doc) => rowOf(grams(doc), numbers, idf)),
    positions: new Map(documents.map(({ id }, at) => [id, at])),
  };
}

function rowOf(terms: readonly string[], numbers: ReadonlyMap<string, number>, idf: readonly number[]): Row {
  const counts = new Map<number, number>();
  for (const term of terms) {
    const number = numbers.get(term);
    if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  const values = Float32Array.from(
    counts,
    ([number, count]) => (1 + Math.log(count)) * (idf[number] as number),
  );
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1;
  return { terms: Int32Array.from(counts.keys()), values: values.map((value) => value / length) };
}

const STOP = new Set(
  'a about above after all also an and any are as at be been but by can for from had has have he her his how i if in into is it its may more most no not of on one only or other our out over she should so some such than that the their them then there these they this those through to under up was we were what when which while who will with would you your'.split(
    ' ',
  ),
);

function grams({ title, abstract }: Doc): string[] {
  const words = (`${title} ${abstract}`.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []).filter(
    (word) => !STOP.has(word),
  );
  return [...words, ...words.slice(1).map((word, at) => `${words[at]} ${word}`)];
}

function dot({ terms, values }: Row, weights: Float64Array): number {
  let sum = weights[FEATURES] as number;
  for (let at = 0; at < terms.length; at += 1)
    sum += (values[at] as number) * (weights[terms[at] as number] as number);
  return sum;
}

function examplesOf(
  loss: Loss,
  rows: readonly Row[],
  likes: readonly number[],
  others: readonly number[],
): Example[] {
  const c = loss === 'svm' ? SVM_C : LOGISTIC_C;
  const balanced = (count: number): number => (c * (likes.length + others.length)) / (2 * count);
  const make = (at: number, label: 1 | -1, cost: number): Example => {
    const row = rows[at] as Row;
    return { row, label, cost, norm: 1 + row.values.reduce((sum, value) => sum + value * value, 0) };
  };
  return [
    ...likes.map((at) => make(at, 1, balanced(likes.length))),
    ...others.map((at) => make(at, -1, balanced(others.length))),
  ];
}

/**
 * Dual coordinate descent (Hsieh et al. 2008 for the squared hinge; Yu, Huang & Lin 2011 for the logistic loss, here
 * with one Newton step a visit), the methods of liblinear; the intercept is a feature of 1, as there.
 */
function train(loss: Loss, examples: readonly Example[]): Float64Array {
  const weights = new Float64Array(FEATURES + 1);
  const alphas = Float64Array.from(examples, ({ cost }) => (loss === 'svm' ? 0 : cost * 0.01));
  examples.forEach(({ row, label }, at) => {
    add(weights, row, (alphas[at] as number) * label);
  });
  const random = seeded(1);
  const order = examples.map((_, at) => at);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    shuffle(order, random);
    let largest = 0;
    for (const at of order) {
      const { row, label, cost, norm } = examples[at] as Example;
      const alpha = alphas[at] as number;
      const margin = label * dot(row, weights);
      const next =
        loss === 'svm' ? hingeStep(margin, alpha, norm, cost) : logisticStep(margin, alpha, norm, cost);
      if (next === alpha) continue;
      alphas[at] = next;
      add(weights, row, (next - alpha) * label);
      largest = Math.max(largest, Math.abs(next - alpha) / cost);
    }
    if (largest < 1e-3) break;
  }
  return weights;
}

function shuffle(order: number[], random: () => number): void {
  for (let left = order.length - 1; left > 0; left -= 1) {
    const other = Math.floor(random() * (left + 1));
    [order[left], order[other]] = [order[other] as number, order[left] as number];
  }
}

function hingeStep(margin: number, alpha: number, norm: number, cost: number): number {
  const diagonal = 1 / (2 * cost);
  return Math.max(0, alpha - (margin - 1 + alpha * diagonal) / (norm + diagonal));
}

function logisticStep(margin: number, alpha: number, norm: number, cost: number): number {
  const gradient = margin + Math.log(alpha / (cost - alpha));
  const step = gradient / (norm + cost / (alpha * (cost - alpha)));
  const edge = cost * 1e-8;
  return Math.min(cost - edge, Math.max(edge, alpha - step));
}

function add(weights: Float64Array, { terms, values }: Row, factor: number): void {
  if (factor === 0) return;
  weights[FEATURES] = (weights[FEATURES] as number) + factor;
  for (let at = 0; at < terms.length; at += 1)
    weights[terms[at] as number] = (weights[terms[at] as number] as number) + factor * (values[at] as number);
}
