import type { Concept } from '#src/topics/concepts.ts';
import type { ConceptMatcher, ConceptWeights, NamedConcept } from './concept-match.ts';
import { findShared, type Shared, type Weighted } from './shared-terms.ts';
import { mapInSteps, type Steps } from './steps.ts';
import { readText } from './text/phrase-finder.ts';
import { STOP_STEMS } from './text/stop-words.ts';
import { stemsOf } from './text/tokens.ts';

/** How the scored texts of a collection compare with a phrase or another text by the concepts of a thesaurus that both name. */
export type ConceptSpace = {
  /**
   * Undefined for a phrase that names none. `share` is that of the phrase's words that name concepts, the first ones
   * counting most: 0 to 1. `categories` are those that papers on these concepts stand under.
   */
  toPhrase(phrase: string): (ConceptCosines & PhraseConcepts) | undefined;
  /** With the text at a position; undefined when it names none. */
  toPaper(position: number): ConceptCosines | undefined;
};

type PhraseConcepts = { readonly share: number; readonly categories: ReadonlyMap<string, number> };

/** Cosines of texts with something. */
export type ConceptCosines = {
  /** Of every scored text; written over by the next cosines. */
  readonly all: Float32Array;
  /** What makes up one text's cosine. Keeps nothing large alive. */
  readonly parts: (position: number) => { readonly concept: Concept; readonly weight: number }[];
};

/** The first words of a phrase say most of what it is about: one counts half as much as the one so far before it. */
const HALF_LIFE = 2;

/** Concepts of texts as terms of rows: those of text `d` stand at `starts[d] … starts[d + 1]`, ascending, with their weights. */
type Rows = { readonly starts: Int32Array; readonly terms: Int32Array; readonly weights: Float32Array };

/** The same by concept: texts that hold concept `c` stand at `starts[c] … starts[c + 1]`. */
type Postings = { readonly starts: Int32Array; readonly texts: Int32Array; readonly weights: Float32Array };

/**
 * Compares texts by the concepts that {@link ConceptMatcher} read in them, in steps. A concept weighs as much as it is rare in the background,
 * ln((n + 1) / (texts with it + 1)); those above what is named count too, so that "object detection" is near "image segmentation",
 * if less than near "YOLO".
 * @param named of all texts, those that are scored first, and of these the background from `backgroundStart` on
 */
export function* createConceptSpace(
  matcher: ConceptMatcher,
  named: readonly ConceptWeights[],
  backgroundStart: number,
  scored: number,
): Steps<ConceptSpace> {
  const found = new Int32Array(matcher.concepts.length);
  for (const weights of named.slice(backgroundStart, scored))
    for (const concept of weights.keys()) found[concept] = (found[concept] as number) + 1;
  const size = scored - backgroundStart;
  const idf = Float64Array.from(found, (count) => Math.log((size + 1) / (count + 1)));
  const rows = joinRows(yield* mapInSteps(named, (weights) => weigh(weights, idf)));
  const postings = invert(rows, scored, matcher.concepts.length);
  const all = new Float32Array(scored);
  const compare = (wanted: Weighted): ConceptCosines | undefined =>
    wanted.terms.length === 0
      ? undefined
      : {
          all: products(postings, wanted, all),
          parts: (position) =>
            Array.from({ length: findShared(rows, position, wanted, 1, shared) }, (_, at) => ({
              concept: matcher.concepts[shared.terms[at] as number] as Concept,
              weight: shared.weights[at] as number,
            })),
        };
  return {
    toPhrase(text) {
      const phrase = readText(text);
      const spots = matcher.find(phrase);
      const weights = nearFirst(spots);
      const cosines = compare(weigh(matcher.closed(weights), idf));
      if (!cosines) return undefined;
      const categories = new Map<string, number>();
      for (const [number, weight] of weights)
        for (const category of matcher.concepts[number]?.categories ?? [])
          categories.set(category, (categories.get(category) ?? 0) + weight);
      return { ...cosines, share: covered(phrase.words, spots), categories };
    },
    toPaper(position) {
      const [from, to] = [rows.starts[position], rows.starts[position + 1]];
      return compare({ terms: rows.terms.subarray(from, to), weights: rows.weights.subarray(from, to) });
    },
  };
}

const shared: Shared = { terms: new Int32Array(0), weights: new Float64Array(0) };

/** Weights times rarity, at length 1; without those that say nothing, since all of the background has them. */
function weigh(weights: ConceptWeights, idf: Float64Array): Weighted {
  const weighed = [...weights]
    .map(([concept, weight]) => [concept, weight * (idf[concept] as number)] as const)
    .filter(([, weight]) => weight > 0)
    .sort(([a], [b]) => a - b);
  const length = Math.hypot(...weighed.map(([, weight]) => weight));
  return {
    terms: Int32Array.from(weighed, ([concept]) => concept),
    weights: Float32Array.from(weighed, ([, weight]) => weight / length),
  };
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

function joinRows(texts: readonly Weighted[]): Rows {
  const starts = new Int32Array(texts.length + 1);
  texts.forEach(({ terms }, row) => {
    starts[row + 1] = (starts[row] as number) + terms.length;
  });
  const size = starts.at(-1) ?? 0;
  const rows = { starts, terms: new Int32Array(size), weights: new Float32Array(size) };
  texts.forEach(({ terms, weights }, row) => {
    rows.terms.set(terms, starts[row]);
    rows.weights.set(weights, starts[row]);
  });
  return rows;
}

function invert(rows: Rows, scored: number, concepts: number): Postings {
  const starts = new Int32Array(concepts + 1);
  const size = rows.starts[scored] as number;
  for (let at = 0; at < size; at += 1) {
    const next = (rows.terms[at] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let concept = 0; concept < concepts; concept += 1)
    starts[concept + 1] = (starts[concept + 1] as number) + (starts[concept] as number);
  const places = starts.slice();
  const postings = { starts, texts: new Int32Array(size), weights: new Float32Array(size) };
  for (let row = 0; row < scored; row += 1)
    for (let at = rows.starts[row] as number; at < (rows.starts[row + 1] as number); at += 1) {
      const concept = rows.terms[at] as number;
      const place = places[concept] as number;
      places[concept] = place + 1;
      postings.texts[place] = row;
      postings.weights[place] = rows.weights[at] as number;
    }
  return postings;
}

function products(
  { starts, texts, weights }: Postings,
  { terms, weights: factors }: Weighted,
  all: Float32Array,
): Float32Array {
  all.fill(0);
  terms.forEach((concept, each) => {
    const factor = factors[each] as number;
    const end = starts[concept + 1] as number;
    for (let at = starts[concept] as number; at < end; at += 1) {
      const text = texts[at] as number;
      all[text] = (all[text] as number) + factor * (weights[at] as number);
    }
  });
  return all;
}
