import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PaperId } from '#src/database/ids.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { topicKey } from '#src/topics/parse-topic.ts';
import { paper, profile, somePapers, someProfile } from './papers.ts';

const none: ReadonlySet<PaperId> = new Set();
const ids = (choices: readonly { paper: PaperId }[]): number[] => choices.map((choice) => choice.paper);

describe('choosing, for any papers and profile', () => {
  it('does not depend on the order of the input', () => {
    fc.assert(
      fc.property(somePapers, someProfile, (papers, reader) => {
        const once = indexCandidates(papers, CATALOGUE).choose(reader, none);
        const again = indexCandidates(papers.toReversed(), CATALOGUE.toReversed()).choose(reader, none);
        expect(again).toEqual(once);
      }),
      { numRuns: 100 },
    );
  });

  it('does not depend on what was prepared together', () => {
    fc.assert(
      fc.property(somePapers, fc.array(someProfile, { minLength: 1, maxLength: 4 }), (papers, readers) => {
        const [alone, together] = [indexCandidates(papers, CATALOGUE), indexCandidates(papers, CATALOGUE)];
        together.prepare(readers);
        for (const reader of readers)
          expect(together.choose(reader, none)).toEqual(alone.choose(reader, none));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the limit, repeats nothing, leaves out what is excluded, and its reasons add up', () => {
    fc.assert(
      fc.property(
        somePapers,
        someProfile,
        fc.array(fc.integer({ min: 1, max: 400 })),
        (papers, reader, sent) => {
          const exclude = new Set(sent as PaperId[]);
          const choices = indexCandidates(papers, CATALOGUE).choose(reader, exclude);
          expect(choices.length).toBeLessThanOrEqual(reader.limit);
          expect(new Set(ids(choices)).size).toBe(choices.length);
          for (const { paper: id, score, reasons } of choices) {
            expect(exclude.has(id)).toBe(false);
            expect(reasons.length).toBeGreaterThan(0);
            expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBe(score);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('lets no follow starve that has a paper, as long as there are places', () => {
    fc.assert(
      fc.property(somePapers, someProfile, fc.integer({ min: 0, max: 50 }), (given, profile, dial) => {
        const papers = given.map((each) => ({ ...each, title: `${each.title} ${each.id}` }));
        const reader = { ...profile, dial, limit: 12 };
        const index = indexCandidates(papers, CATALOGUE);
        const served = new Set(
          index
            .choose(reader, none)
            .flatMap(({ reasons }) => reasons)
            .flatMap((reason) => (reason.type === 'follow' ? topicKey(reason.topic) : [])),
        );
        for (const follow of reader.follows) {
          const alone = index.choose(
            { ...reader, follows: [follow], likes: [], fillWithTrending: false },
            none,
          );
          const matches = alone.some(({ reasons }) => reasons.some(({ type }) => type === 'follow'));
          if (matches) expect(served).toContain(topicKey(follow));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never chooses what is muted', () => {
    fc.assert(
      fc.property(somePapers, someProfile, (papers, reader) => {
        const mutes = [
          { kind: 'category', value: 'cs.CV', weight: -1 },
          { kind: 'author', value: 'Lovelace, A.', weight: -1 },
          { kind: 'query', value: 'title:poker', weight: -1 },
        ] as const;
        const byId = new Map(papers.map((each) => [each.id, each]));
        for (const { paper: id } of indexCandidates(papers, CATALOGUE).choose({ ...reader, mutes }, none)) {
          const chosen = byId.get(id);
          expect(chosen?.categories).not.toContain('cs.CV');
          expect(chosen?.authors.join()).not.toContain('Lovelace');
          expect(chosen?.title).not.toContain('poker');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('takes equals in order of identity however many there are, and one of those with the same title', () => {
    const papers = Array.from({ length: 100 }, (_, at) =>
      paper(at + 1, { categories: ['cs.CL'], title: at % 10 === 9 ? 'The same again' : `Number ${at + 1}` }),
    );
    const follows = [{ kind: 'category' as const, value: 'cs.CL', weight: 1 }];
    const choices = indexCandidates(papers, CATALOGUE).choose(profile({ follows, limit: 95 }), none);
    expect(ids(choices)).toEqual(papers.flatMap(({ id }) => (id > 10 && id % 10 === 0 ? [] : id)));
  });
});

describe('choosing', () => {
  const many = Array.from({ length: 12 }, (_, index) =>
    paper(index + 1, {
      title: `Latent diffusion number ${index}`,
      abstract: `A diffusion model for ${'abcdefghijkl'[index]}${index} things`,
      trend: 0.5,
    }),
  );
  const lone = paper(50, {
    title: 'Counting sheep',
    abstract: 'Sheep that sleep.',
    authors: ['Ada Lovelace'],
  });
  const index = indexCandidates([...many, lone], CATALOGUE);

  it('gives every followed topic its best paper before any gets a second', () => {
    const follows = [
      { kind: 'topic', value: 'diffusion-models', weight: 9 },
      { kind: 'author', value: 'A Lovelace', weight: 1 },
    ] as const;
    const choices = index.choose(profile({ follows, limit: 3 }), none);
    expect(ids(choices)).toContain(50);
    expect(choices.find((choice) => choice.paper === lone.id)?.reasons[0]).toMatchObject({
      type: 'follow',
      name: 'A Lovelace',
      terms: ['Ada Lovelace'],
    });
  });

  it('says which words brought a paper', () => {
    const [first] = index.choose(
      profile({ follows: [{ kind: 'topic', value: 'diffusion-models', weight: 1 }] }),
      none,
    );
    expect(first?.reasons[0]).toMatchObject({ type: 'follow', name: 'Diffusion models' });
    expect(first?.reasons[0]).toHaveProperty('terms', expect.arrayContaining(['Latent diffusion']));
  });

  it('is empty when nothing reaches the floor, and fills with trending papers, marked, when allowed', () => {
    const follows = [{ kind: 'query', value: 'medieval trade routes', weight: 1 }] as const;
    expect(index.choose(profile({ follows }), none)).toEqual([]);
    const filled = index.choose(profile({ follows, fillWithTrending: true }), none);
    expect(filled.length).toBeGreaterThan(0);
    for (const { reasons } of filled) expect(reasons).toMatchObject([{ type: 'trending', fill: true }]);
  });

  it('of a reader who follows nothing is what trends, and does not speak of what they follow', () => {
    const chosen = index.choose(profile({ fillWithTrending: true }), none);
    expect(chosen.length).toBeGreaterThan(0);
    for (const { reasons } of chosen) expect(reasons).toMatchObject([{ type: 'trending', fill: false }]);
  });

  it('finds papers like a liked one that is no candidate, and names it', () => {
    const context = paper(900, { title: 'How sheep sleep', abstract: 'Sleep of sheep, counted.' });
    const likes = [context.id, context.id].slice(0, 1);
    const [first] = indexCandidates([...many, lone], CATALOGUE, [context]).choose(profile({ likes }), none);
    expect(first?.paper).toBe(50);
    expect(first?.reasons[0]).toMatchObject({ type: 'liked', paper: 900, title: 'How sheep sleep' });
  });

  it('explains what became of a paper', () => {
    const query = (value: string, weight = 1) => ({ kind: 'query' as const, value, weight });
    const reader = profile({ follows: [query('title:diffusion')], mutes: [query('title:11', -1)], limit: 3 });
    const sent = new Set([1 as PaperId]);
    const explain = (id: number) => index.explain(reader, sent, id as PaperId);
    const [first] = index.choose(reader, sent);
    expect(explain(first?.paper ?? 0)).toEqual({ type: 'chosen', place: 1, choice: first });
    expect(explain(1)).toEqual({ type: 'sent-before' });
    expect(explain(12)).toEqual({ type: 'muted', by: [{ kind: 'query', value: 'title:11' }] });
    expect(explain(50)).toEqual({ type: 'no-match' });
    expect(explain(777)).toEqual({ type: 'no-candidate' });
    const types = many.map(({ id }) => explain(id).type);
    expect(types.filter((type) => type === 'chosen')).toHaveLength(3);
    expect(types.filter((type) => type === 'outranked')).toHaveLength(7);
  });

  it('takes one of two papers with the same title', () => {
    const twins = [
      paper(1, { title: 'Deep poker' }),
      paper(2, { title: 'Deep  Poker', identity: 'doi:10.1/x' }),
    ];
    const follows = [{ kind: 'query', value: 'title:poker', weight: 1 }] as const;
    expect(indexCandidates(twins, CATALOGUE).choose(profile({ follows }), none)).toHaveLength(1);
  });

  it('moves from taste to trend with the dial', () => {
    const calm = paper(1, { title: 'Poker bots', abstract: 'Poker.', trend: 0 });
    const loud = paper(2, { title: 'Something else', trend: 1 });
    const both = indexCandidates([calm, loud], CATALOGUE);
    const follows = [{ kind: 'query', value: 'title:poker', weight: 1 }] as const;
    expect(ids(both.choose(profile({ follows, dial: 0, limit: 1 }), none))).toEqual([1]);
    expect(ids(both.choose(profile({ follows, dial: 100, limit: 1 }), none))).toEqual([2]);
  });

  it('stays away from what resembles a disliked paper', () => {
    const follows = [{ kind: 'query', value: 'poker OR sheep', weight: 1 }] as const;
    const papers = [
      paper(1, { title: 'Poker strategies', abstract: 'poker strategies by search' }),
      paper(2, { title: 'Sheep herding', abstract: 'sheep herding by drones' }),
    ];
    const disliked = paper(3, { title: 'Poker strategies again', abstract: 'poker strategies by search' });
    const chosen = indexCandidates(papers, CATALOGUE, [disliked]).choose(
      profile({ follows, dislikes: [disliked.id], limit: 1 }),
      none,
    );
    expect(ids(chosen)).toEqual([2]);
  });

  it('reads any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (title, abstract) => {
        const odd = [
          paper(1, { title, abstract, authors: [title] }),
          paper(2, { title: abstract, abstract: title }),
        ];
        const follows = [
          { kind: 'query', value: title, weight: 1 },
          { kind: 'author', value: abstract, weight: 1 },
        ] as const;
        indexCandidates(odd, CATALOGUE).choose(
          profile({ follows, likes: [1 as PaperId], mutes: follows }),
          none,
        );
      }),
      { numRuns: 200 },
    );
  });
});
