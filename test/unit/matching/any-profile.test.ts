import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PaperId } from '#src/database/ids.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import { createRanker } from '#src/matching/rank/ranker.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import type { CandidateIndex } from '#src/matching/types.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import { QUERY_LIMITS } from '#src/topics/query/query.ts';
import type { Follow } from '#src/topics/topic.ts';
import { paper, profile, somePapers, someProfile } from './papers.ts';

const none: ReadonlySet<PaperId> = new Set();
const WORDS =
  'model models learning deep neural speech robot graph image language training data method large scale'.split(
    ' ',
  );
/** Papers that share nearly all their words, the worst for an index; a few odd ones among them. */
const crowd = Array.from({ length: 1500 }, (_, at) =>
  paper(at + 1, {
    title: `${WORDS[at % 15]} ${WORDS[(at * 7) % 15]} ${at % 90}`,
    abstract: `${WORDS.join(' ')} ${WORDS[(at * 3) % 15]} ${at % 50} `.repeat(4),
    authors: [`Author${at % 40} Family${at % 300}`],
    categories: [at % 2 ? 'cs.CL' : 'cs.CV'],
    listedOn: null,
    trend: (at % 100) / 100,
  }),
);
const statistics = fitStatistics(crowd.slice(0, 400), 'test');
let index: CandidateIndex;
beforeAll(() => {
  index = indexCandidates(crowd, CATALOGUE, [], statistics);
});

/**
 * CPU milliseconds of the quicker of two runs: what a busy machine adds to one is not the query's. Each run gets a text of
 * its own, since texts that were scored are remembered.
 */
function cpuOf(run: (suffix: string) => void): number {
  const times = ['', ' 7'].map((suffix) => {
    const start = process.cpuUsage();
    run(suffix);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

describe('a hostile text', () => {
  const nasty = fc.constantFrom(
    'a',
    'model',
    '"model learning"',
    '"a',
    '-',
    '(',
    ')',
    ' OR ',
    ' ',
    'title:',
    'cat:cs.*',
    'author:x',
    ':',
    'AND',
    'after:2026-01-01',
    '\u0301',
    '𝔘',
    'ﷺ',
    '\u202e',
    '"',
    '*',
    'org:',
    '. .',
    '|',
    '+',
    'модель',
    '学习',
  );
  const text = fc.oneof(
    fc.array(nasty, { minLength: 1, maxLength: 200 }).map((parts) => parts.join('')),
    fc.tuple(nasty, fc.integer({ min: 1, max: 300 })).map(([part, times]) => part.repeat(times)),
    fc.string({ unit: 'binary', maxLength: QUERY_LIMITS.characters }),
  );

  it('takes no query more than 50 ms, from its characters to the papers', () => {
    fc.assert(
      fc.property(text, (value) => {
        const ask = (suffix: string) => {
          const typed = value.slice(0, QUERY_LIMITS.characters + 1 - suffix.length) + suffix;
          const parsed = parseTopic('query', typed);
          const follows = parsed.type === 'ok' ? [{ ...parsed.topic, weight: 1 }] : [];
          index.choose(profile({ follows }), none);
        };
        expect(cpuOf(ask)).toBeLessThan(50);
      }),
      { numRuns: 60 },
    );
  });

  it('takes no name more than 50 ms, nor any other kind of topic', () => {
    const kinds = fc.constantFrom('author', 'organisation', 'category', 'paper', 'topic');
    fc.assert(
      fc.property(kinds, text, (kind, value) => {
        const ask = (suffix: string) => {
          const parsed = parseTopic(kind, value + suffix);
          const follows = parsed.type === 'ok' ? [{ ...parsed.topic, weight: 1 }] : [];
          index.choose(profile({ follows, mutes: follows.map((each) => ({ ...each, weight: -1 })) }), none);
        };
        expect(cpuOf(ask)).toBeLessThan(50);
      }),
      { numRuns: 60 },
    );
  });

  it('of ten thousand characters is ranked by in as little', () => {
    const rank = createRanker({ papers: crowd, candidates: crowd.length, catalogue: CATALOGUE, statistics });
    const base = { likes: [], dislikes: [], follows: [], mutes: [] };
    for (const phrase of [
      `${WORDS.join(' ')} `.repeat(100),
      'é\u0301'.repeat(5000),
      '-"('.repeat(3333),
      'x'.repeat(10_000),
    ])
      expect(cpuOf((suffix) => rank({ ...base, phrase: phrase + suffix }, 10))).toBeLessThan(50);
  });
});

describe('a profile of any size', () => {
  it('with 500 follows, likes, dislikes and mutes keeps every promise', () => {
    const follows: Follow[] = Array.from({ length: 500 }, (_, at) => ({
      kind: 'query',
      value: `${WORDS[at % 15]} ${WORDS[(at * 11 + 1) % 15]} ${at}`,
      weight: 1 + (at % 10),
    }));
    const mutes: Follow[] = Array.from({ length: 500 }, (_, at) => ({
      kind: 'author',
      value: `Author${at % 40} Family${at}`,
      weight: -1,
    }));
    const marked = (from: number) => Array.from({ length: 500 }, (_, at) => (from + at) as PaperId);
    const reader = profile({
      follows,
      mutes: mutes.slice(0, 100),
      likes: marked(1),
      dislikes: marked(700),
      limit: 50,
    });
    const sent = new Set(marked(1000));
    const chosen = index.choose(reader, sent);
    expect(chosen.length).toBe(50);
    const muted = new Set(mutes.slice(0, 100).map(({ value }) => value));
    for (const { paper: id, score, reasons } of chosen) {
      expect(sent.has(id)).toBe(false);
      expect(crowd[id - 1]?.authors.some((name) => muted.has(name))).toBe(false);
      expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBe(score);
    }
    expect(index.choose(reader, sent)).toEqual(chosen);
  });

  it('has its papers in the same order whatever paper joins that has nothing to do with them', () => {
    const few = fitStatistics(crowd.slice(0, 120), 'few');
    const stranger = paper(999, {
      title: 'Mediaeval salt roads',
      abstract: 'Chronicles of northern merchants.',
    });
    fc.assert(
      fc.property(somePapers, someProfile, (papers, given) => {
        const reader = { ...given, limit: 60 };
        const choose = (all: typeof papers) =>
          indexCandidates(all, CATALOGUE, [], few)
            .choose(reader, none)
            .map(({ paper: id }) => id)
            .filter((id) => id !== stranger.id);
        expect(choose([...papers, stranger])).toEqual(choose(papers));
      }),
      { numRuns: 15 },
    );
  });
});
