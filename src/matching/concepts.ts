import type { ConceptMatcher, ConceptWeights, NamedConcept } from './concept-match.ts';
import { readText } from './text/phrase-finder.ts';
import { STOP_STEMS } from './text/stop-words.ts';
import { stemsOf } from './text/tokens.ts';

/** How the scored texts of a collection compare with a phrase by the concepts of a thesaurus that both name. */
export type ConceptSpace = {
  /** Undefined for a phrase that names none. */
  toPhrase(phrase: string): ConceptCosines | undefined;
};

/** Cosines of texts with a phrase. */
export type ConceptCosines = {
  /** Of every scored text. */
  readonly all: Float32Array;
  /** Share of the phrase's words that name concepts, the first ones counting most: 0 to 1. */
  readonly share: number;
  /** What makes up one text's cosine. Keeps nothing large alive. */
  readonly parts: (position: number) => { readonly concept: string; readonly weight: number }[];
};

/** The first words of a phrase say most of what it is about: one counts half as much as the one so far before it. */
const HALF_LIFE = 2;

/** Texts by concept: those that hold concept `c` stand at `starts[c] … starts[c + 1]`, ascending, with their weights. */
type Postings = {
  readonly starts: Int32Array;
  readonly texts: Int32Array;
  readonly weights: Float32Array;
};

/**
 * Compares texts by the concepts that {@link ConceptMatcher} read in them. A concept weighs as much as it is rare in the background,
 * ln((n + 1) / (texts with it + 1)); those above what is named count too, so that "object detection" is near "image segmentation",
 * if less than near "YOLO".
 * @param named of the texts that are scored, the background from `backgroundStart` on
 */
export function createConceptSpace(
  matcher: ConceptMatcher,
  named: readonly ConceptWeights[],
  backgroundStart: number,
): ConceptSpace {
  const found = new Int32Array(matcher.concepts.length);
  for (const weights of named.slice(backgroundStart))
    for (const concept of weights.keys()) found[concept] = (found[concept] as number) + 1;
  const size = named.length - backgroundStart;
  const idf = Float64Array.from(found, (count) => Math.log((size + 1) / (count + 1)));
  const postings = invert(
    named.map((weights) => weigh(weights, idf)),
    matcher.concepts.length,
  );
  return {
    toPhrase(text) {
      const phrase = readText(text);
      const spots = matcher.find(phrase);
      const wanted = weigh(matcher.closed(nearFirst(spots)), idf);
      if (wanted.size === 0) return undefined;
      return {
        all: compare(postings, wanted, named.length),
        share: covered(phrase.words, spots),
        parts: (position) =>
          [...wanted].flatMap(([number, weight]) => {
            const concept = matcher.concepts[number]?.names[0] ?? '';
            const share = weight * weightIn(postings, number, position);
            return share === 0 ? [] : [{ concept, weight: share }];
          }),
      };
    },
  };
}

/** Weights times rarity, at length 1; without those that say nothing, since all of the background has them. */
function weigh(weights: ConceptWeights, idf: Float64Array): ConceptWeights {
  const weighed = [...weights]
    .map(([concept, weight]) => [concept, weight * (idf[concept] as number)] as const)
    .filter(([, weight]) => weight > 0);
  const length = Math.hypot(...weighed.map(([, weight]) => weight));
  return new Map(weighed.map(([concept, weight]) => [concept, weight / length]));
}

const counts = (word: number): number => 0.5 ** (word / HALF_LIFE);

/** The concepts of a phrase by how early they stand. */
function nearFirst(spots: readonly NamedConcept[]): ConceptWeights {
  const weights = new Map<number, number>();
  for (const { key, from } of spots) if (!weights.has(key)) weights.set(key, counts(from));
  return weights;
}

/** The share of a phrase's words, stop words aside, that stand in the names of concepts. */
function covered(words: readonly string[], spots: readonly NamedConcept[]): number {
  let [inside, all] = [0, 0];
  words.forEach((word, at) => {
    if (stemsOf(word).every((stem) => STOP_STEMS.has(stem))) return;
    all += counts(at);
    if (spots.some(({ from, to }) => from <= at && at < to)) inside += counts(at);
  });
  return all === 0 ? 0 : inside / all;
}

function invert(rows: readonly ConceptWeights[], concepts: number): Postings {
  const starts = new Int32Array(concepts + 1);
  for (const row of rows)
    for (const concept of row.keys()) starts[concept + 1] = (starts[concept + 1] as number) + 1;
  for (let concept = 0; concept < concepts; concept += 1)
    starts[concept + 1] = (starts[concept + 1] as number) + (starts[concept] as number);
  const next = starts.slice();
  const size = starts[concepts] as number;
  const postings = { starts, texts: new Int32Array(size), weights: new Float32Array(size) };
  rows.forEach((row, text) => {
    for (const [concept, weight] of row) {
      const place = next[concept] as number;
      next[concept] = place + 1;
      postings.texts[place] = text;
      postings.weights[place] = weight;
    }
  });
  return postings;
}

function compare({ starts, texts, weights }: Postings, wanted: ConceptWeights, scored: number): Float32Array {
  const all = new Float32Array(scored);
  for (const [concept, weight] of wanted)
    for (let at = starts[concept] as number; at < (starts[concept + 1] as number); at += 1) {
      const text = texts[at] as number;
      all[text] = (all[text] as number) + weight * (weights[at] as number);
    }
  return all;
}

/** The weight of a concept in one text; 0 where it isn't there. */
function weightIn({ starts, texts, weights }: Postings, concept: number, text: number): number {
  const end = starts[concept + 1] as number;
  for (let at = starts[concept] as number; at < end; at += 1)
    if (texts[at] === text) return weights[at] as number;
  return 0;
}
