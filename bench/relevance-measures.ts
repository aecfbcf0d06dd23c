import { rocAuc } from './ranking-metrics.ts';

/** Measures of one ranking. `ndcg20p` is nDCG at a fifth of the pool. */
export type Measures = {
  readonly ndcg10: number;
  readonly ndcg20p: number;
  readonly map: number;
  readonly recall20: number;
  readonly auc: number;
};

/**
 * Measures a ranking of a whole pool, best first.
 * @param gradeOf 0 = not relevant; the gain of a grade is 2^grade − 1
 * @param relevantFrom the grade from which a document counts as relevant for the measures that know only yes and no
 */
export function measure(
  ranking: readonly string[],
  gradeOf: (id: string) => number,
  relevantFrom: number,
): Measures {
  const grades = ranking.map(gradeOf);
  const relevant = grades.map((grade) => grade >= relevantFrom);
  const total = relevant.filter(Boolean).length;
  let found = 0;
  let precisions = 0;
  relevant.forEach((is, rank) => {
    if (!is) return;
    found += 1;
    precisions += found / (rank + 1);
  });
  return {
    ndcg10: ndcg(grades, 10),
    ndcg20p: ndcg(grades, Math.max(1, Math.round(grades.length / 5))),
    map: total === 0 ? 0 : precisions / total,
    recall20: total === 0 ? 0 : relevant.slice(0, 20).filter(Boolean).length / total,
    auc: rocAuc(relevant.map((is, rank) => ({ score: -rank, relevant: is }))),
  };
}

function ndcg(grades: readonly number[], depth: number): number {
  const ideal = discounted(grades.toSorted((a, b) => b - a).slice(0, depth));
  return ideal === 0 ? 0 : discounted(grades.slice(0, depth)) / ideal;
}

const discounted = (grades: readonly number[]): number =>
  grades.reduce((sum, grade, rank) => sum + (2 ** grade - 1) / Math.log2(rank + 2), 0);
