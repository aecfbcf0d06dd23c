import type { Concept } from '#src/topics/concepts.ts';
import { createPhraseFinder, type FoundPhrase, type ReadPaper, type ReadText } from './text/phrase-finder.ts';

/** A concept named in a text, by its number. */
export type NamedConcept = FoundPhrase<number>;

/** Weights of concepts by number. */
export type ConceptWeights = ReadonlyMap<number, number>;

/** Finds the concepts of a thesaurus in texts. */
export type ConceptMatcher = {
  readonly concepts: readonly Concept[];
  /** Concepts of a paper: 1 + ln of how often one is named (the title counts {@link TITLE_COUNTS} times), and those above it. */
  read(paper: ReadPaper): ConceptWeights;
  /** Concepts named in what a reader wrote. Without capitals in it, abbreviations are understood in small letters. */
  find(phrase: ReadText): NamedConcept[];
  /** Adds to weights those of the concepts above: each is at least {@link ABOVE} of what is right below it. */
  closed(weights: ConceptWeights): ConceptWeights;
};

/** A title names what a paper is about; an abstract also what it is compared with. */
const TITLE_COUNTS = 10;

/** What a concept says of the one right above it: a paper on graph neural networks is half on neural networks. */
const ABOVE = 0.5;

/** Prepares a thesaurus. */
export function createConceptMatcher(concepts: readonly Concept[]): ConceptMatcher {
  const size = concepts.length;
  // One finder for all names; the key of a doubtful one is told by its size.
  const find = createPhraseFinder(
    concepts.flatMap((concept, number) => [
      ...concept.names.map((name) => [name, number] as const),
      ...concept.doubtful.map((name) => [name, number + size] as const),
    ]),
  );
  const shares: ConceptWeights[] = [];
  const closed = (weights: ConceptWeights): ConceptWeights => {
    const all = new Map<number, number>();
    for (const [number, weight] of weights)
      for (const [each, share] of (shares[number] ??= sharesAbove(concepts, number)))
        all.set(each, Math.max(all.get(each) ?? 0, weight * share));
    return all;
  };
  return {
    concepts,
    closed,
    read({ title, abstract }) {
      const counts = new Map<number, number>();
      const count = (text: ReadText, weight: number): void => {
        for (const { key } of longest(find(text).filter((each) => each.key < size)))
          counts.set(key, (counts.get(key) ?? 0) + weight);
      };
      count(title, TITLE_COUNTS);
      count(abstract, 1);
      for (const [number, times] of counts) counts.set(number, 1 + Math.log(times));
      return closed(counts);
    },
    find: (phrase) =>
      longest(
        find(phrase, !phrase.words.some((word) => /\p{Lu}/u.test(word))).map((each) => ({
          ...each,
          key: each.key % size,
        })),
      ),
  };
}

/** A concept and all above it, with the share of it that each gets, by the shortest way up. */
function sharesAbove(concepts: readonly Concept[], number: number): ConceptWeights {
  const shares = new Map([[number, 1]]);
  for (const [each, share] of shares)
    for (const broader of concepts[each]?.broader ?? [])
      if (!shares.has(broader)) shares.set(broader, share * ABOVE);
  return shares;
}

/** What stands inside of a longer name is left out: "language model" in "vision-language model". */
function longest(found: readonly NamedConcept[]): NamedConcept[] {
  let covered = 0;
  return found
    .toSorted((a, b) => a.from - b.from || b.to - a.to)
    .filter(({ to }) => {
      if (to <= covered) return false;
      covered = to;
      return true;
    });
}
