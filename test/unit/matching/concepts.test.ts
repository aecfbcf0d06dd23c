import { describe, expect, it } from 'vitest';
import { createConceptMatcher } from '#src/matching/concept-match.ts';
import { createConceptSpace } from '#src/matching/concepts.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import { createRanker } from '#src/matching/rank/ranker.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import { atOnce } from '#src/matching/steps.ts';
import { readPaper, readText } from '#src/matching/text/phrase-finder.ts';
import { showTerms } from '#src/matching/text/shown-terms.ts';
import { parseThesaurus } from '#src/topics/concepts.ts';
import { paper, profile } from './papers.ts';

const THESAURUS = `animals
  sheep | ovine | flock
    lamb
  dogs | LGD | GSD?
plants
  grass | sward
`;
const matcher = createConceptMatcher(parseThesaurus([THESAURUS]));
const number = (name: string): number => matcher.concepts.findIndex(({ names }) => names[0] === name);
const found = (phrase: string): (string | undefined)[] =>
  matcher.find(readText(phrase)).map(({ key }) => matcher.concepts[key]?.names[0]);

describe('concepts in texts', () => {
  it('are counted by whichever of their names, the title ten times, and lend half of it to those above', () => {
    const weights = matcher.read(readPaper({ title: 'Ovine welfare', abstract: 'A flock of lambs.' }));
    expect(weights.get(number('sheep'))).toBeCloseTo(1 + Math.log(11));
    expect(weights.get(number('lamb'))).toBe(1);
    expect(weights.get(number('animals'))).toBeCloseTo((1 + Math.log(11)) / 2);
    expect(weights.has(number('plants'))).toBe(false);
  });

  it('are found in phrases in any case where a reader wrote no capitals, doubtful ones too', () => {
    expect(found('lgd for lambs')).toEqual(['dogs', 'lamb']);
    expect(found('Lambs and lgd')).toEqual(['lamb']);
    expect(found('GSD')).toEqual(['dogs']);
    expect(matcher.read(readPaper({ title: 'A GSD', abstract: '' })).size).toBe(0);
  });

  it('do not count inside of longer names', () => {
    const longer = createConceptMatcher(parseThesaurus(['vision-language model\nlanguage model\n']));
    expect(
      longer.find(readText('vision language models, language models')).map(({ key, from }) => [key, from]),
    ).toEqual([
      [0, 0],
      [1, 3],
    ]);
  });
});

describe('comparing by concepts', () => {
  const texts = ['Ovine', 'Lamb', 'LGD', 'Grass', 'Ovine and grass', 'Nothing', 'LGD and lamb'].map((title) =>
    matcher.read(readPaper({ title, abstract: '' })),
  );
  const space = atOnce(createConceptSpace(matcher, texts, 0, 6));

  it('ranks the same thing first, then what stands below it, then its like, then the rest', () => {
    const [same, below, like, other] = space.toPhrase('sheep')?.all ?? [];
    expect(same).toBeCloseTo(1, 5);
    expect(below).toBeLessThan(same ?? 0);
    expect(like).toBeLessThan(below ?? 0);
    expect(like).toBeGreaterThan(0);
    expect(other).toBe(0);
  });

  it('says how much of the phrase it stands for, and is silent where it knows nothing', () => {
    expect(space.toPhrase('sheep')?.share).toBe(1);
    expect(space.toPhrase('the sheep of the grass')?.share).toBe(1);
    expect(space.toPhrase('sheep cheese')?.share).toBeGreaterThan(space.toPhrase('cheese sheep')?.share ?? 1);
    expect(space.toPhrase('cheese')).toBeUndefined();
    expect(space.toPhrase('')).toBeUndefined();
  });

  it('compares papers, scored or not, and is silent about one that names nothing', () => {
    expect(space.toPaper(0)?.all[0]).toBeCloseTo(1, 5);
    expect([...(space.toPaper(6)?.all ?? [])].map((cosine) => cosine > 0)).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
    ]);
    expect(space.toPaper(5)).toBeUndefined();
  });

  it('takes a cosine apart', () => {
    for (const compare of [() => space.toPhrase('lamb on grass'), () => space.toPaper(4)]) {
      const cosines = compare();
      expect(cosines?.all.length).toBe(6);
      for (const [position, cosine] of (cosines?.all ?? []).entries())
        expect(cosines?.parts(position).reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(cosine, 5);
      expect(cosines?.parts(4).map(({ concept }) => concept.names[0])).toContain('grass');
    }
  });
});

describe('concepts of the shipped thesaurus', () => {
  const words = ['sheep', 'wool', 'lamb', 'shear', 'fold', 'dog', 'crook', 'hill'];
  const background = Array.from({ length: 240 }, (_, at) => ({
    title: `${words[at % 8]} ${words[(at * 3 + 1) % 8]}`,
    abstract: `${words[(at * 5) % 8]} ${words[(at * 7 + 2) % 8]} on day ${at}`,
  }));
  const papers = [
    paper(0, { title: 'Wool for the market', abstract: 'A dog on the hill.' }),
    paper(1, { title: 'Wool with LLMs', abstract: 'A dog on the hill.' }),
  ];
  const statistics = fitStatistics(background, 'test');
  const rank = createRanker({ papers, candidates: 2, catalogue: [], statistics });
  const ranked = (phrase: string) =>
    rank({ phrase, likes: [], dislikes: [], follows: [], mutes: [] }, 2).map(
      ({ paper: which, score, reasons }) => ({ which, score, reason: reasons()[0] }),
    );

  it('bring a paper that shares no word with the phrase, say so, and add up', () => {
    const [first, second] = ranked('large language models');
    expect([first?.which, second?.which]).toEqual([1, 0]);
    const parts = first?.reason && 'parts' in first.reason ? first.reason.parts : [];
    expect(parts.filter(({ type }) => type === 'concept')).toContainEqual(
      expect.objectContaining({ concept: 'large language model' }),
    );
    expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(first?.score ?? Number.NaN, 5);
  });

  it('are named in the reason of a paper that nothing else speaks for', () => {
    const index = indexCandidates(papers, [], [], statistics);
    const follow = { kind: 'query', value: 'large language models', weight: 1 } as const;
    const [choice] = index.choose(profile({ follows: [follow] }), new Set());
    expect(choice?.paper).toBe(1);
    expect(choice?.reasons[0]).toHaveProperty('terms', ['large language model']);
    expect(choice?.reasons.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(choice?.score ?? 0, 5);
  });

  it('put a paper of the field’s category before its twin', () => {
    const twin = { title: 'Wool for the market', abstract: 'A dog on the hill.' };
    const field = createRanker({
      papers: [paper(0, { ...twin, categories: ['cs.LG'] }), paper(1, { ...twin, categories: ['cs.RO'] })],
      candidates: 2,
      catalogue: [],
      statistics: fitStatistics(
        background.map((text, at) => ({ ...text, categories: at % 6 === 0 ? ['cs.RO'] : ['cs.LG'] })),
        'test',
      ),
    });
    const [first] = field({ phrase: 'robots', likes: [], dislikes: [], follows: [], mutes: [] }, 2);
    const [reason] = first?.reasons() ?? [];
    const parts = reason && 'parts' in reason ? reason.parts : [];
    expect(first?.paper).toBe(1);
    expect(parts.find(({ type }) => type === 'categories')?.weight).toBeGreaterThan(0);
    expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(first?.score ?? Number.NaN, 5);
  });

  it('are left alone in prose', () => {
    const prose = 'What is there that one can find out about the large language models of the market?';
    const [first] = ranked(prose);
    const parts = first?.reason && 'parts' in first.reason ? first.reason.parts : [];
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.some(({ type }) => type === 'concept')).toBe(false);
  });
});

describe('a concept among the terms of a reason', () => {
  const words = ['ovine', 'grass', 'the flock', 'lambs'];
  const shown = (terms: number[], names: string[], after: number, weight = 0.5) =>
    showTerms(
      (_, each) => each.map((term) => words[term] ?? '').slice(0, 3),
      0,
      { terms, concept: { names, weight, after } },
      3,
    );

  it('stands by its weight, and gives way to three that are heavier', () => {
    expect(shown([1, 0], ['dog'], 0)).toEqual(['dog', 'grass', 'ovine']);
    expect(shown([1, 0], ['dog'], 1)).toEqual(['grass', 'dog', 'ovine']);
    expect(shown([1, 0, 3], ['dog'], 2)).toEqual(['grass', 'ovine', 'dog']);
    expect(shown([1, 0, 3], ['dog'], 3)).toEqual(['grass', 'ovine', 'lambs']);
    expect(shown([], ['dog'], 0)).toEqual(['dog']);
  });

  it('is left out where it adds little, or a term says it by any of its names', () => {
    expect(shown([1], ['dog'], 0, 0.05)).toEqual(['grass']);
    expect(shown([0], ['sheep', 'ovine'], 0)).toEqual(['ovine']);
    expect(shown([2], ['sheep', 'flock'], 0)).toEqual(['the flock']);
    expect(shown([3], ['lamb'], 0)).toEqual(['lambs']);
  });

  it('stands for the words of its own name', () => {
    expect(shown([1, 3], ['grass management'], 1)).toEqual(['grass management', 'lambs']);
    expect(shown([1, 3], ['grass management'], 2)).toEqual(['lambs', 'grass management']);
  });
});
