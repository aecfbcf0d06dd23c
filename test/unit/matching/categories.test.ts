import { describe, expect, it } from 'vitest';
import { createCategorySpace } from '#src/matching/categories.ts';
import { createRanker } from '#src/matching/rank/ranker.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { paper } from './papers.ts';

/** Nine of ten are cs.LG, every tenth is rarer. */
const background = Array.from({ length: 200 }, (_, at) => (at % 10 === 0 ? ['cs.RO', 'cs.LG'] : ['cs.LG']));

describe('categories', () => {
  it('compare papers by the rare ones', () => {
    const all = [['cs.RO'], ['cs.LG'], [], ...background, ['cs.RO', 'cs.LG']];
    const space = createCategorySpace(all, 3, 203);
    const [robots, learning, nothing] = space?.toPaper(203)?.all ?? [];
    expect(robots).toBeGreaterThan(0.9);
    expect(learning).toBeLessThan(0.2);
    const usual = space
      ?.toPaper(203)
      ?.all.subarray(3)
      .reduce((sum, cosine) => sum + cosine / 200, 0);
    expect(nothing).toBeCloseTo(usual ?? 0, 5);
  });

  it('say nothing of a paper without them, nor where the background has none', () => {
    expect(createCategorySpace([[], ...background], 1, 201)?.toPaper(0)).toBeUndefined();
    expect(
      createCategorySpace(
        Array.from({ length: 200 }, () => []),
        0,
        200,
      ),
    ).toBeUndefined();
  });

  it('compare papers with weighted ones, unless these say nothing', () => {
    const space = createCategorySpace([['cs.RO'], ['cs.LG'], ...background], 2, 202);
    const [robots, learning] = space?.toWeighted(new Map([['cs.RO', 2]]))?.all ?? [];
    expect(robots).toBeCloseTo(1, 5);
    expect(learning).toBe(0);
    expect(space?.toWeighted(new Map())).toBeUndefined();
    expect(space?.toWeighted(new Map([['cs.LG', 1]]))).toBeUndefined();
  });

  it('put a paper of an example’s categories before its twin, and say so', () => {
    const words = ['sheep', 'wool', 'lamb', 'shear', 'fold', 'dog', 'crook', 'hill'];
    const texts = Array.from({ length: 240 }, (_, at) => ({
      title: `${words[at % 8]} ${words[(at * 3 + 1) % 8]}`,
      abstract: `${words[(at * 5) % 8]} ${words[(at * 7 + 2) % 8]} on day ${at}`,
      categories: at % 6 === 0 ? ['cs.RO'] : ['cs.LG'],
    }));
    const twin = { title: 'wool of lamb', abstract: 'A dog on the hill.' };
    const papers = [
      paper(0, { ...twin, categories: ['cs.LG'] }),
      paper(1, { ...twin, categories: ['cs.RO'] }),
      paper(2, { title: 'sheep and dog', abstract: 'A fold on the hill.', categories: ['cs.RO'] }),
    ];
    const statistics = fitStatistics(texts, 'test');
    const rank = createRanker({ papers, candidates: 3, catalogue: CATALOGUE, statistics });
    const [first, second] = rank({ likes: [2], dislikes: [], follows: [], mutes: [] }, 3);
    expect([first?.paper, second?.paper]).toEqual([1, 0]);
    const [reason] = first?.reasons() ?? [];
    expect(
      reason?.type === 'liked' && reason.parts.find(({ type }) => type === 'categories')?.weight,
    ).toBeGreaterThan(0);
  });

  it('count more where liked papers agree in rare ones than where they do not, and stay in the sum', () => {
    const words = ['sheep', 'wool', 'lamb', 'shear', 'fold', 'dog', 'crook', 'hill'];
    const textAt = (at: number) => ({
      title: `${words[at % 8]} ${words[(at * 3 + 1) % 8]}`,
      abstract: `${words[(at * 5) % 8]} ${words[(at * 7 + 2) % 8]} on day ${at}`,
    });
    const fields = ['cs.RO', 'cs.CR', 'cs.SE', 'cs.LG', 'cs.LG', 'cs.LG'];
    const texts = Array.from({ length: 240 }, (_, at) => ({
      ...textAt(at),
      categories: [fields[at % 6] as string],
    }));
    const ranked = (likedFields: readonly string[]) => {
      const papers = [
        paper(0, { title: 'wool of lamb', abstract: 'A dog on the hill.', categories: ['cs.RO'] }),
        ...likedFields.map((field, at) => paper(at + 1, { ...textAt(at), categories: [field] })),
      ];
      const statistics = fitStatistics(texts, 'test');
      const rank = createRanker({ papers, candidates: 1, catalogue: CATALOGUE, statistics });
      const [first] = rank({ likes: [1, 2, 3, 4], dislikes: [], follows: [], mutes: [] }, 1);
      const reasons = (first?.reasons() ?? []).flatMap((reason) => (reason.type === 'liked' ? [reason] : []));
      const parts = reasons.flatMap((reason) => reason.parts);
      expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(first?.score ?? NaN, 5);
      expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(first?.score ?? NaN, 5);
      const weightOf = (type: string): number =>
        parts.filter((part) => part.type === type).reduce((sum, { weight }) => sum + weight, 0);
      return weightOf('categories') / (weightOf('term') || Number.NaN);
    };
    const agreeing = ranked(['cs.RO', 'cs.RO', 'cs.RO', 'cs.RO']);
    const mixed = ranked(['cs.RO', 'cs.CR', 'cs.SE', 'cs.RO']);
    // Two of four are the paper's own: half as much, if agreeing counted for nothing.
    expect(agreeing).toBeGreaterThan(3 * mixed);
  });

  it('of the catalogue put a paper of an example’s topics before its twin, and say so', () => {
    const catalogue = ['dogs', 'hills'].map((slug) => ({
      slug,
      name: slug,
      group: 'Farm',
      description: slug,
      triggers: slug === 'dogs' ? ['collie', 'terrier'] : ['meadow', 'fell'],
      titleTriggers: [],
    }));
    const words = ['sheep', 'wool', 'lamb', 'shear', 'fold', 'crook', 'barn', 'hay'];
    const texts = Array.from({ length: 240 }, (_, at) => ({
      title: `${words[at % 8]} ${words[(at * 3 + 1) % 8]} ${['collie', 'terrier', 'meadow', 'fell'][at % 4]}`,
      abstract: `${words[(at * 5) % 8]} ${words[(at * 7 + 2) % 8]} on day ${at}`,
    }));
    const papers = [
      paper(0, { title: 'fell and barn', abstract: 'Hay and lamb.' }),
      paper(1, { title: 'terrier and barn', abstract: 'Hay and lamb.' }),
      paper(2, { title: 'collie and crook', abstract: 'Shear the fold.' }),
    ];
    const statistics = fitStatistics(texts, 'test');
    const rankWith = (given: typeof catalogue) =>
      createRanker({ papers, candidates: 3, catalogue: given, statistics })(
        { likes: [2], dislikes: [], follows: [], mutes: [] },
        3,
      );
    const partOf = ([first]: ReturnType<typeof rankWith>) => {
      const [reason] = first?.reasons() ?? [];
      return reason?.type === 'liked' ? reason.parts.find(({ type }) => type === 'topics') : undefined;
    };
    const ranked = rankWith(catalogue);
    expect(ranked.map((each) => each.paper)).toEqual([1, 0]);
    expect(partOf(ranked)?.weight).toBeGreaterThan(0);
    expect(
      ranked[0]?.reasons().reduce((sum, reason) => sum + ('weight' in reason ? reason.weight : 0), 0),
    ).toBeCloseTo(ranked[0]?.score ?? Number.NaN, 5);
    expect(partOf(rankWith([]))).toBeUndefined();
  });
});
