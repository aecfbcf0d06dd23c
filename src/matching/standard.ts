/** Scores of the scored texts of a collection in one respect, and the least deviation to be believed. */
export type Channel = { readonly raw: Float64Array; readonly least: number };

/** Standardised scores and what they are made of. */
export type Standard = {
  /** Of every scored text: `lexical × lexicalFactor + meaning × meaningFactor + usual`. */
  readonly scores: Float32Array;
  readonly lexicalFactor: number;
  /** What the second channel is multiplied with; 0 where it was not used. */
  readonly meaningFactor: number;
  readonly usual: number;
};

type Where = { readonly backgroundStart: number };

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
  { backgroundStart }: Where,
  lexical: Channel,
  meaning: Channel | undefined,
  { assumed, byTop }: { readonly assumed: number; readonly byTop: boolean },
): Standard {
  const size = lexical.raw.length;
  if (size - backgroundStart < LEAST_BACKGROUND)
    return {
      scores: Float32Array.from(lexical.raw, (score) => score / assumed),
      lexicalFactor: 1 / assumed,
      meaningFactor: 0,
      usual: 0,
    };
  const first = measure(lexical, backgroundStart);
  const second = meaning && measure(meaning, backgroundStart);
  const sum = new Float64Array(size);
  for (let at = 0; at < size; at += 1) {
    let score = ((lexical.raw[at] as number) - first.mean) / first.deviation;
    if (meaning && second) score += ((meaning.raw[at] as number) - second.mean) / second.deviation;
    sum[at] = score;
  }
  const scale = 1 / full(sum, backgroundStart, byTop);
  const meaningFactor = second ? scale / second.deviation : 0;
  return {
    scores: new Float32Array(sum.map((score) => score * scale)),
    lexicalFactor: scale / first.deviation,
    meaningFactor,
    usual: -(first.mean * scale) / first.deviation - (second?.mean ?? 0) * meaningFactor,
  };
}

function measure({ raw, least }: Channel, start: number): { mean: number; deviation: number } {
  const { mean, deviation } = moments(raw, start);
  return { mean, deviation: Math.max(deviation, least, Number.MIN_VALUE) };
}

function full(sum: Float64Array, start: number, byTop: boolean): number {
  const usual = FULL * Math.max(moments(sum, start).deviation, 0.5);
  if (!byTop) return usual;
  const top = sum
    .slice(start)
    .sort()
    .slice(-Math.ceil((sum.length - start) * TOP_SHARE));
  return Math.max(usual, top.reduce((total, score) => total + score, 0) / top.length);
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
