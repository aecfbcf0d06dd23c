import type { WeightedSums } from './weighted-sums.ts';

/**
 * Scores of the scored texts of a collection in one respect, the least deviation to be believed, and what a deviation
 * counts beside one of the words (1 unless told).
 */
export type Channel = {
  readonly raw: Float32Array;
  readonly least: number;
  readonly counts?: number;
};

/** Standardised scores and what they are made of. */
export type Standard = {
  /** Of every scored text: `lexical × lexicalFactor + Σ other × its factor + usual`. */
  readonly scores: Float32Array;
  readonly lexicalFactor: number;
  /** What the other channels are multiplied with; 0 for one that was not used. */
  readonly factors: readonly number[];
  /** Their means over the background, times their factors: what of `usual` is theirs. */
  readonly means: readonly number[];
  readonly usual: number;
};

/** Where the background begins, and where sums are made. */
type Where = { readonly backgroundStart: number; readonly sums: WeightedSums };

/** Background papers below which mean and deviation are not worth measuring. */
const LEAST_BACKGROUND = 100;
/** Deviations above the mean at which a paper is clearly about a topic, at least. */
const FULL = 4;
/** … or as many as the best of the background have: this share of it. */
const TOP_SHARE = 0.005;

/**
 * Adds up the channels' z-scores (less mean, by deviation, both measured on the background) and scales the sum so
 * that 1 stands for a paper that is clearly about the topic. Linear in every channel, so that a score can be taken
 * apart exactly. Without a background worth the name, `assumed` is the lexical score that counts as clearly.
 */
export function standardise(
  { backgroundStart, sums }: Where,
  lexical: Channel,
  others: readonly (Channel | undefined)[],
  { assumed, byTop }: { readonly assumed: number; readonly byTop: boolean },
): Standard {
  const size = lexical.raw.length;
  if (size - backgroundStart < LEAST_BACKGROUND)
    return {
      scores: Float32Array.from(lexical.raw, (score) => score / assumed),
      lexicalFactor: 1 / assumed,
      factors: others.map(() => 0),
      means: others.map(() => 0),
      usual: 0,
    };
  const first = measure(lexical, backgroundStart, sums);
  const rest = others.map((other) => other && measure(other, backgroundStart, sums));
  const used = [first, ...rest.filter((each) => each !== undefined)];
  const usual = used.reduce((sum, { mean, factor }) => sum - mean * factor, 0);
  const sum = sums.addUp(
    used.map(({ raw }) => raw),
    used.map(({ factor }) => factor),
    sums.scratch,
  );
  // The deviation of the sum is known from the background alone; what comes of it goes for all.
  const scale = 1 / full(sum.subarray(backgroundStart), usual, byTop, sums);
  sums.shift(usual, scale);
  return {
    scores: sum.slice(),
    lexicalFactor: first.factor * scale,
    factors: rest.map((each) => (each ? each.factor * scale : 0)),
    means: rest.map((each) => (each ? each.mean * each.factor * scale : 0)),
    usual: usual * scale,
  };
}

type Measured = { readonly raw: Float32Array; readonly mean: number; readonly factor: number };

/** Mean over the background, and what makes deviations of it: 0 for a channel that says nothing (a phrase of unknown words). */
function measure({ raw: given, least, counts = 1 }: Channel, start: number, sums: WeightedSums): Measured {
  const raw = sums.bring(given);
  const { mean, deviation } = sums.moments(raw, start);
  const believed = Math.max(deviation, least);
  return { raw, mean, factor: believed > 0 ? counts / believed : 0 };
}

/** The sum of z-scores that stands for 1; `usual` is what each of `background` lacks. */
function full(background: Float32Array, usual: number, byTop: boolean, sums: WeightedSums): number {
  const far = FULL * Math.max(sums.moments(background).deviation, 0.5);
  return byTop ? Math.max(far, meanOfTop(background, Math.ceil(background.length * TOP_SHARE)) + usual) : far;
}

/** Mean of the `count` greatest: few, so kept in order while passing over all. */
function meanOfTop(values: Float32Array, count: number): number {
  const top = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let at = 0; at < values.length; at += 1)
    if ((values[at] as number) > (top[0] as number)) putInOrder(top, values[at] as number);
  for (let at = 0; at < count; at += 1) sum += top[at] as number;
  return sum / count;
}

/** Puts a value in the place of the least. */
function putInOrder(top: Float64Array, value: number): void {
  let place = 0;
  for (; place + 1 < top.length && (top[place + 1] as number) < value; place += 1)
    top[place] = top[place + 1] as number;
  top[place] = value;
}

/** Mean and standard deviation of the entries from `start` on. */
export function moments(values: Float32Array | Float64Array, start = 0): { mean: number; deviation: number } {
  const count = Math.max(1, values.length - start);
  let sum = 0;
  for (let at = start; at < values.length; at += 1) sum += values[at] as number;
  const mean = sum / count;
  let squares = 0;
  for (let at = start; at < values.length; at += 1) squares += ((values[at] as number) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count) };
}
