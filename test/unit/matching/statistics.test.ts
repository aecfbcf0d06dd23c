import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRanker } from '#src/matching/rank/ranker.ts';
import { decompose } from '#src/matching/statistics/decompose.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { paper } from './papers.ts';

const SUBJECTS = [
  ['diffusion', 'image', 'denoising', 'sampling', 'noise'],
  ['speech', 'voice', 'audio', 'phoneme', 'speaker'],
  ['robot', 'grasping', 'manipulation', 'gripper', 'policy'],
  ['protein', 'folding', 'molecule', 'structure', 'binding'],
] as const;
const COMMON = ['models', 'data', 'large', 'training', 'study', 'tasks'];

/** Texts on four subjects; texts of one subject share three of its five words, so that words stand in for one another. */
const texts = Array.from({ length: 240 }, (_, at) => {
  const words = SUBJECTS[at % 4] as readonly string[];
  const own = words.filter((_, word) => (at + word) % 5 < 3);
  const common = COMMON.filter((_, word) => (at * 7 + word) % 3 === 0);
  const categories = at % 5 === 0 ? [] : ['cs.LG', `cs.${SUBJECTS[(at * 7) % 4]?.[0]}`];
  const abstract = [...own, ...common, `filler${at % 60}`].join(' ');
  return { title: `${own[0]} ${common[0]}`, abstract, categories };
});
const statistics = fitStatistics(texts, 'test');

describe('a decomposition', () => {
  it('finds singular values and vectors of a sparse matrix', () => {
    // Rows 3·e0, 2·e1, 1·e2: singular values 3, 2, 1.
    const matrix = {
      rows: 3,
      columns: 4,
      starts: Int32Array.of(0, 1, 2, 3),
      indices: Int32Array.of(0, 1, 2),
      values: Float32Array.of(3, 2, 1),
    };
    const { singularValues, vectors } = decompose(matrix, 2);
    expect(Array.from(singularValues, (value) => Math.round(value * 1e4) / 1e4)).toEqual([3, 2]);
    expect(Math.abs(vectors[0] as number)).toBeCloseTo(1, 4);
    expect(Math.abs(vectors[1 * 2 + 1] as number)).toBeCloseTo(1, 4);
  });

  it('is orthonormal and the same every time', () => {
    const again = fitStatistics(texts, 'test');
    expect(again.basis).toEqual(statistics.basis);
    const { rank, basis } = statistics;
    for (const [i, j] of [
      [0, 0],
      [0, 1],
      [2, 5],
    ] as const) {
      let product = 0;
      for (let row = 0; row < basis.length; row += rank)
        product += (basis[row + i] as number) * (basis[row + j] as number);
      expect(product).toBeCloseTo(i === j ? 1 : 0, 3);
    }
  });
});

describe('ranking with statistics', () => {
  const papers = texts.slice(0, 40).map((text, at) => paper(at, text));
  const profile = { likes: [], dislikes: [], follows: [], mutes: [] };
  const subjectOf = (number: number): number => number % 4;

  it('finds papers that share no word with the phrase', () => {
    const odd = paper(100, { title: 'speaker phoneme', abstract: 'speaker and phoneme' });
    const rank = createRanker({ papers: [odd, ...papers], candidates: 41, catalogue: CATALOGUE, statistics });
    const ranking = rank({ ...profile, phrase: 'voice' }, 41).map((each) => each.paper);
    expect(ranking.indexOf(0)).toBeLessThan(15);
  });

  it('ranks by example, and less what resembles a dislike', () => {
    const rank = createRanker({ papers, candidates: 40, catalogue: CATALOGUE, statistics });
    const liked = rank({ ...profile, likes: [0, 4, 8] }, 5);
    expect(liked.map((each) => subjectOf(each.paper))).toEqual([0, 0, 0, 0, 0]);
    const first = (disliked: number[]): number =>
      rank({ ...profile, likes: [0, 1], dislikes: disliked }, 10).filter(
        (each) => subjectOf(each.paper) === 0,
      ).length;
    expect(first([4, 8, 12])).toBeLessThan(first([]));
  });

  it('explains every score to the last part', () => {
    const rank = createRanker({ papers, candidates: 40, catalogue: CATALOGUE, statistics });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...SUBJECTS.flat(), ...COMMON, 'unseen'), { maxLength: 20 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { maxLength: 6 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { maxLength: 3 }),
        (words, likes, dislikes) => {
          for (const { score, reasons } of rank(
            { ...profile, phrase: words.join(' '), likes, dislikes },
            40,
          )) {
            const parts = reasons().flatMap((reason) => (reason.type === 'reason' ? [] : reason.parts));
            const sum = parts.reduce((total, { weight }) => total + weight, 0);
            expect(Math.abs(sum - score)).toBeLessThan(1e-4 * Math.max(1, Math.abs(score)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps the order of papers whatever irrelevant paper joins them', () => {
    const request = { ...profile, phrase: 'robot grasping', likes: [2] };
    const order = (all: typeof papers): number[] =>
      createRanker({ papers: all, candidates: all.length, catalogue: CATALOGUE, statistics })(request, 100)
        .map((each) => each.paper)
        .filter((each) => each < 40);
    const stranger = paper(999, { title: 'Medieval trade', abstract: 'Salt roads of the north.' });
    expect(order([...papers, stranger])).toEqual(order(papers));
  });
});
