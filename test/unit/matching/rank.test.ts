import { describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { type RankAnswer, rankPapers } from '#src/matching/rank/rank-papers.ts';
import { parsePaperLine, parseProfileLine, type RankPaper } from '#src/matching/rank/read-lines.ts';

const papersOf = (count: number, listed: string): RankPaper[] =>
  Array.from({ length: count }, (_, at) => {
    const parsed = parsePaperLine(
      JSON.stringify({
        id: `2611.${String(at + (listed < '2026-06' ? 500 : 0)).padStart(5, '0')}`,
        title: at % 2 === 0 ? `Sheep ${at} that sleep` : `Engines ${at} that roar`,
        abstract: at % 2 === 0 ? 'Counting sheep, wool and dreams.' : 'Fuel, pistons and noise.',
        authors: ['Ada Lovelace'],
        categories: ['cs.CL'],
        listed,
      }),
    );
    if (parsed.type === 'invalid') throw new Error(parsed.message);
    return parsed.value;
  });

const papers = papersOf(20, '2026-11-02');
const background = papersOf(120, '2026-05-01');

function rank(profiles: object[], more: object = {}): RankAnswer[] {
  const answers: RankAnswer[] = [];
  const requests = profiles.map((profile) => {
    const parsed = parseProfileLine(JSON.stringify(profile));
    if (parsed.type === 'invalid') throw new Error(parsed.message);
    return parsed.value;
  });
  const outcome = rankPapers(
    { write: (answer) => answers.push(answer) },
    { papers, background, profiles: requests, top: 5, ...more },
  );
  expect(outcome.type).toBe('ranked');
  return answers;
}

describe('ranking of files', () => {
  it('ranks by phrase, by examples of the background, and for follows', () => {
    const answers = rank([
      { id: 'a', phrase: 'sheep' },
      { id: 'b', likes: ['2611.00501'] },
      {
        id: 'c',
        follows: [{ kind: 'query', value: 'title:sheep' }],
        mutes: [{ kind: 'query', value: 'title:4' }],
      },
      { id: 'd', phrase: 'sheep', candidates: ['2611.00001', '2611.00003', '2611.00502', 'nowhere'] },
    ]);
    const even = (id: string): boolean => Number(id.slice(-1)) % 2 === 0;
    expect(answers[0]?.ranking.map(({ paper }) => even(paper))).toEqual([true, true, true, true, true]);
    expect(answers[1]?.ranking.every(({ paper }) => !even(paper))).toBe(true);
    expect(answers[2]?.ranking.length).toBe(5);
    expect(answers[2]?.ranking.every(({ paper }) => even(paper) && paper !== '2611.00004')).toBe(true);
    expect(answers[3]?.ranking[0]?.paper).toBe('2611.00502');
    expect(answers[3]?.ranking).toHaveLength(3);
    expect(answers[3]?.unknown).toEqual(['nowhere']);
  });

  it('gives reasons whose printed weights add up', () => {
    for (const { score, reasons } of rank([{ id: 'a', phrase: 'sheep wool', likes: ['2611.00500'] }])[0]
      ?.ranking ?? []) {
      const weights = (reasons as { weight: number; parts: { weight: number }[] }[]).flatMap(
        ({ parts }) => parts,
      );
      expect(weights.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(score, 4);
    }
  });

  it('ranks by trend for who asks for nothing, and the latest first without it', () => {
    const given = papers.map((each, at) => ({
      ...each,
      trend: at === 7 ? 0.9 : at === 3 ? 0.4 : 0,
      listed: isoDate(at === 12 ? '2026-11-03' : '2026-11-02'),
    }));
    const nothing = [{ id: 'a' }, { id: 'b', phrase: ' ', likes: ['nowhere'] }];
    const firsts = (more: object): string[][] =>
      rank(nothing, { papers: given, ...more }).map(({ ranking }) => ranking.map(({ paper }) => paper));
    const trending = ['2611.00007', '2611.00003', '2611.00012', '2611.00000', '2611.00001'];
    expect(firsts({})).toEqual([trending, trending]);
    const latest = ['2611.00012', '2611.00000', '2611.00001', '2611.00002', '2611.00003'];
    expect(firsts({ noTrend: true })).toEqual([latest, latest]);
    expect(rank(nothing, { papers: given })[0]?.ranking[0]).toEqual({
      paper: '2611.00007',
      score: 0.9,
      reasons: [{ type: 'trending', weight: 0.9, fill: false }],
    });
  });

  it('does not depend on the order of papers', () => {
    const profiles = [{ id: 'a', phrase: 'wool of sheep', likes: ['2611.00500'] }];
    expect(rank(profiles, { papers: papers.toReversed() })).toEqual(rank(profiles));
  });

  it('counts an id once, however often a profile names it', () => {
    const [once, twice] = rank([
      { id: 'a', phrase: 'sheep', likes: ['2611.00500'], candidates: ['2611.00001', '2611.00003'] },
      {
        id: 'a',
        phrase: 'sheep',
        likes: ['2611.00500', '2611.00500'],
        candidates: ['2611.00001', '2611.00003', '2611.00001'],
      },
    ]);
    expect(twice).toEqual(once);
  });

  it('fits only on papers before a day, and says so when there is none', () => {
    expect(
      rankPapers(
        { write: () => {} },
        { papers, background, profiles: [], top: 1, fitBefore: isoDate('2026-01-01') },
      ),
    ).toEqual({ type: 'nothing-to-fit', before: '2026-01-01' });
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{"title":"x"}', '"id" is missing'],
    ['{"id":"x","title":1}', '"title" must be a text'],
    ['{"id":"x","listed":"soon"}', '"listed" must be a date'],
    ['{"id":"x","authors":"me"}', '"authors" must be a list'],
    ['{"id":"x","trend":2}', '"trend" must be a number'],
  ])('refuses the paper %s', (line, message) => {
    expect(parsePaperLine(line)).toEqual({ type: 'invalid', message: expect.stringContaining(message) });
  });

  it.each([
    ['{"id":"x","follows":[{"kind":"query","value":"(a"}]}', 'follows[0]: character 1'],
    ['{"id":"x","follows":[null]}', 'follows[0] must be'],
    ['{"id":"x","mutes":[{"kind":"category","value":"cs.CL","weight":99}]}', 'mutes[0].weight'],
    ['{"id":"x","likes":[{}]}', '"likes" must be a list'],
  ])('refuses the profile %s', (line, message) => {
    expect(parseProfileLine(line)).toEqual({ type: 'invalid', message: expect.stringContaining(message) });
  });
});
