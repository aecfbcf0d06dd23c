/** A scored item of a ranking. */
export type Scored = { readonly score: number; readonly relevant: boolean };

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Area under the ROC curve by ranks, ties counting half; NaN without both kinds. */
export function rocAuc(items: readonly Scored[]): number {
  const sorted = items.toSorted((one, other) => one.score - other.score);
  const positives = items.filter(({ relevant }) => relevant).length;
  const negatives = items.length - positives;
  let rankSum = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end < sorted.length && sorted[end]?.score === sorted[start]?.score) end += 1;
    const rank = (start + 1 + end) / 2;
    for (let index = start; index < end; index += 1) if (sorted[index]?.relevant) rankSum += rank;
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Share of relevant ones among the best `k`; ties broken at random by `random`. */
export function precisionAt(k: number, items: readonly Scored[], random: () => number): number {
  const keyed = items.map((item) => ({ ...item, tie: random() }));
  const best = keyed.toSorted((one, other) => other.score - one.score || one.tie - other.tie).slice(0, k);
  return best.filter(({ relevant }) => relevant).length / Math.min(k, items.length);
}

/** Mean with its 95 % interval from 2,000 bootstrap samples. */
export function bootstrap(
  values: readonly number[],
  random: () => number,
): { mean: number; low: number; high: number } {
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const means = Array.from({ length: 2000 }, () =>
    mean(values.map(() => values[Math.floor(random() * values.length)] ?? 0)),
  ).sort((one, other) => one - other);
  return { mean: mean(values), low: means[50] ?? NaN, high: means[1949] ?? NaN };
}
