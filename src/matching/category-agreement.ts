import type { Listing } from './categories.ts';

/** What an example's categories add to the score of a text: its cosine × `factor` − `usual`. */
export type Listed = Listing & { readonly factor: number; readonly usual: number };

/** How much the categories of marked papers count. */
export type Agreement = {
  /** What they add is multiplied by this. */
  readonly times: number;
  /** Adds what this makes more (or less), times `factor`, to the scores of texts, those at a position of the index and after it. */
  addTo(scores: Float32Array, from: number, factor: number): void;
};

/** What an example's categories add to the score of the text at a position. */
export const addedTo = ({ cosines, sets, factor, usual }: Listed, position: number): number =>
  (cosines[sets.of[position] as number] as number) * factor - usual;

type Weighed = { readonly listed: Listed; readonly share: number };

/** Categories count so many times at most. */
const MOST = 2;

/**
 * Reckons how much categories tell of what marked papers have in common, by how near each is to the others in them, in
 * deviations of the background: √(mean / (1 + deviation)) times. So they are left out where the papers stand here and
 * there, and count more where all stand where few others do. Undefined for fewer than two papers with categories.
 * @param listed by paper; undefined for one without categories
 * @param shares what each paper counts, beside `listed`
 */
export function agreement(
  listed: readonly (Listed | undefined)[],
  shares: readonly number[],
): Agreement | undefined {
  const papers = listed.flatMap((each, at) => (each ? [{ listed: each, share: shares[at] as number }] : []));
  const sets = papers[0]?.listed.sets;
  if (!sets || papers.length < 2) return undefined;
  const bySet = sumsBySet(papers, sets.scored);
  const deviation = Math.sqrt(
    bySet.reduce((sum, value, set) => sum + (sets.inBackground[set] as number) * value * value, 0) /
      Math.max(1, sets.background),
  );
  if (deviation === 0) return undefined;
  const times = Math.min(MOST, clarity(papers, deviation));
  return {
    times,
    addTo(scores, from, factor) {
      const more = bySet.map((value) => value * (times - 1) * factor);
      const { length } = scores;
      const setOf = sets.of.subarray(from, from + length);
      for (let at = 0; at < length; at += 1)
        scores[at] = (scores[at] as number) + (more[setOf[at] as number] as number);
    },
  };
}

/** What all papers add for each set. */
function sumsBySet(papers: readonly Weighed[], sets: number): Float64Array {
  const sums = new Float64Array(sets);
  for (const { listed, share } of papers) {
    const { cosines } = listed;
    const [factor, usual] = [share * listed.factor, share * listed.usual];
    for (let set = 0; set < sets; set += 1)
      sums[set] = (sums[set] as number) + factor * (cosines[set] as number) - usual;
  }
  return sums;
}

/** √(mean / (1 + deviation)) of how near each paper is to the others; 0 where they are no nearer than any. */
function clarity(papers: readonly Weighed[], deviation: number): number {
  const added = ({ listed: { cosines, factor, usual }, share }: Weighed, set: number): number =>
    share * ((cosines[set] as number) * factor - usual);
  const total = papers.reduce((sum, { share }) => sum + share, 0);
  const near = papers.map((paper) => {
    const { set } = paper.listed;
    const others = papers.reduce((sum, other) => sum + added(other, set), 0) - added(paper, set);
    return (others / (total - paper.share)) * (total / deviation);
  });
  const mean = near.reduce((sum, each) => sum + each, 0) / near.length;
  const spread = Math.sqrt(near.reduce((sum, each) => sum + (each - mean) ** 2, 0) / near.length);
  return Math.sqrt(Math.max(0, mean) / (1 + spread));
}
