import { describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { createFilters } from '#src/matching/query-match.ts';
import { createLexicalIndex } from '#src/matching/text/lexical-index.ts';
import { parseQuery } from '#src/topics/query/parse.ts';
import { paper } from './papers.ts';

const papers = [
  paper(1, {
    title: 'Latent diffusion for speech',
    abstract: 'We propose a model of voices.',
    authors: ['Ada King Lovelace'],
    categories: ['cs.SD', 'cs.LG'],
    listedOn: isoDate('2026-06-01'),
  }),
  paper(2, {
    title: 'A survey of diffusion in latent space',
    abstract: 'Voices and models.',
    authors: ['Jörg Müller', 'Wang Wei'],
    categories: ['math.ST'],
    organisation: 'ETH Zürich, Google DeepMind',
    listedOn: isoDate('2026-06-03'),
  }),
  paper(3, { title: 'Poker', abstract: 'Cards.' }),
];
const filters = createFilters(papers, createLexicalIndex(papers));

const matches = (text: string): number[] => {
  const parsed = parseQuery(text);
  if (parsed.type === 'invalid' || parsed.query.type === 'text') throw new Error(`no filter: ${text}`);
  return filters.query(parsed.query.root).map((at) => papers[at]?.id as number);
};

describe('a query as a filter', () => {
  it.each([
    ['"latent diffusion"', [1]],
    ['"latent space" OR title:poker', [2, 3]],
    ['diffusion -survey', [1]],
    ['diffusion -(survey OR speech)', []],
    ['"a model"', [1]],
    ['modelling cat:cs.*', [1]],
    ['author:"Lovelace, A."', [1]],
    ['author:"Wei Wang" OR author:"J. Muller"', [2]],
    ['org:"eth zurich"', [2]],
    ['org:deep', []],
    ['diffusion after:2026-06-01', [2]],
    ['title:voices', []],
    ['"unheard of" OR poker cat:cs.CL', []],
  ])('%s', (text, expected) => {
    expect(matches(text)).toEqual(expected);
  });

  it('is bounded in time, whatever is asked', () => {
    const words = Array.from({ length: 500 }, (_, at) =>
      paper(at + 10, { title: 'a a a', abstract: 'a b '.repeat(200) }),
    );
    const slow = createFilters(words, createLexicalIndex(words));
    const hostile = [
      Array.from({ length: 31 }, (_, at) => `"a b a b${' a b'.repeat(at % 2)} c"`)
        .join(' OR ')
        .slice(0, 480),
      `${'('.repeat(8)}a -b${')'.repeat(8)} ${'-a OR b '.repeat(14)}c`,
      '"'.repeat(499),
      '('.repeat(500),
      `author:"${'a '.repeat(45)}"`,
      '-'.repeat(500),
      'a:'.repeat(250),
    ];
    for (const text of hostile) {
      const start = process.cpuUsage();
      const parsed = parseQuery(text);
      if (parsed.type === 'ok' && parsed.query.type === 'filter') slow.query(parsed.query.root);
      const { user } = process.cpuUsage(start);
      expect(user / 1000).toBeLessThan(50);
    }
  });
});
