import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { priorFeatures } from '#src/papers/prior.ts';
import { rocAuc, seeded } from './ranking-metrics.ts';
import { type Announced, announced2025 } from './trend-data.ts';

type Example = { readonly features: readonly number[]; readonly label: 0 | 1 };
type Model = { bias: number; weights: Float64Array };

const FILE = join(import.meta.dirname, '../src/papers/prior-weights.json');
/** Rarer features tell more of the papers than of the community. */
const MIN_PAPERS = 25;
const EPOCHS = 12;
const RATE = 0.05;
/** Weights kept: the rest hardly moves a score. */
const MIN_WEIGHT = 0.04;

/**
 * Fits the prior: a logistic regression with an L2 penalty by AdaGrad. The penalty is chosen on September 2025 by a fit on
 * the months before, and so are slope and bias that make probabilities of its sums; the weights are then fitted on all of
 * 2025 and written to src/papers/prior-weights.json.
 * June 2026, the month of the evaluation, has no part in it.
 */
export async function run(): Promise<void> {
  const papers = announced2025();
  const [before, september] = [
    papers.filter(({ day }) => day < '2025-09'),
    papers.filter(({ day }) => day >= '2025-09'),
  ];
  console.log(
    `${papers.length} announcements, ${papers.filter(({ listed }) => listed).length} listed by the community`,
  );
  const vocabulary = vocabularyOf(before);
  const scores = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2].map((penalty) => {
    const model = fit(examplesOf(before, vocabulary), vocabulary.size, penalty);
    const auc = rocAuc(
      examplesOf(september, vocabulary).map(({ features, label }) => ({
        score: logit(model, features),
        relevant: label === 1,
      })),
    );
    console.log(`penalty ${penalty}: ROC AUC of September ${auc.toFixed(4)}`);
    return { penalty, auc, slope: calibrated(model, examplesOf(september, vocabulary)) };
  });
  const { penalty, slope } = scores.reduce((best, score) => (score.auc > best.auc ? score : best));
  const all = vocabularyOf(papers);
  await write(all, fit(examplesOf(papers, all), all.size, penalty), slope);
}

function vocabularyOf(papers: readonly Announced[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const paper of papers)
    for (const feature of priorFeatures(paper)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  const kept = [...counts]
    .filter(([, count]) => count >= MIN_PAPERS)
    .map(([feature]) => feature)
    .sort();
  return new Map(kept.map((feature, index) => [feature, index]));
}

function examplesOf(papers: readonly Announced[], vocabulary: ReadonlyMap<string, number>): Example[] {
  return papers.map((paper) => ({
    features: [...priorFeatures(paper)]
      .map((feature) => vocabulary.get(feature))
      .filter((index) => index !== undefined),
    label: paper.listed ? 1 : 0,
  }));
}

const logit = ({ bias, weights }: Model, features: readonly number[]) =>
  features.reduce((sum, index) => sum + (weights[index] ?? 0), bias);

function fit(examples: readonly Example[], size: number, penalty: number): Model {
  const model: Model = { bias: -2, weights: new Float64Array(size) };
  const squares = new Float64Array(size).fill(1e-8);
  const random = seeded(1);
  const order = examples.map((_, index) => index);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
    }
    for (const index of order) step(model, squares, examples[index] as Example, penalty);
  }
  return model;
}

function step(model: Model, squares: Float64Array, { features, label }: Example, penalty: number): void {
  const error = 1 / (1 + Math.exp(-logit(model, features))) - label;
  model.bias -= 0.002 * error;
  for (const index of features) {
    const weight = model.weights[index] ?? 0;
    const gradient = error + penalty * 100 * weight;
    squares[index] = (squares[index] ?? 0) + gradient * gradient;
    model.weights[index] = weight - (RATE * gradient) / Math.sqrt(squares[index] ?? 1);
  }
}

/**
 * A penalty makes a model too cautious: the slope and bias that make its logits probabilities (Platt scaling), by Newton's
 * method on examples it was not fitted on.
 */
function calibrated(model: Model, examples: readonly Example[]): { slope: number; bias: number } {
  const logits = examples.map(({ features, label }) => ({ at: logit(model, features), label }));
  let [slope, bias] = [1, 0];
  for (let round = 0; round < 25; round += 1) {
    let [gs, gb, hss, hsb, hbb] = [0, 0, 1e-9, 0, 1e-9];
    for (const { at, label } of logits) {
      const probability = 1 / (1 + Math.exp(-(slope * at + bias)));
      const [error, spread] = [probability - label, probability * (1 - probability)];
      gs += error * at;
      gb += error;
      hss += spread * at * at;
      hsb += spread * at;
      hbb += spread;
    }
    const determinant = hss * hbb - hsb * hsb;
    slope -= (gs * hbb - gb * hsb) / determinant;
    bias -= (gb * hss - gs * hsb) / determinant;
  }
  return { slope, bias };
}

async function write(
  vocabulary: ReadonlyMap<string, number>,
  model: Model,
  by: { slope: number; bias: number },
): Promise<void> {
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  const entries = [...vocabulary].map(
    ([feature, index]) => [feature, rounded((model.weights[index] ?? 0) * by.slope)] as const,
  );
  const weights = Object.fromEntries(entries.filter(([, weight]) => Math.abs(weight) >= MIN_WEIGHT));
  const bias = rounded(model.bias * by.slope + by.bias);
  await writeFile(FILE, `${JSON.stringify({ bias, weights }, null, 2)}\n`);
  console.log(`slope ${by.slope.toFixed(2)}, ${Object.keys(weights).length} weights written to ${FILE}`);
}
