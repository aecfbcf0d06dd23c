import fc from 'fast-check';
import type { PaperId } from '#src/database/ids.ts';
import type { MatchingPaper, Profile } from '#src/matching/types.ts';

/** A paper for matching; what is not given is plain. */
export function paper(id: number, given: Partial<Omit<MatchingPaper, 'id'>> = {}): MatchingPaper {
  return {
    id: id as PaperId,
    identity: `arxiv:2611.${String(id).padStart(5, '0')}`,
    title: `Paper ${id}`,
    abstract: '',
    authors: [],
    categories: [],
    organisation: null,
    keywords: [],
    listedOn: null,
    trend: 0,
    ...given,
  };
}

/** A profile that follows nothing; what is not given is plain. */
export function profile(given: Partial<Profile> = {}): Profile {
  return {
    follows: [],
    mutes: [],
    likes: [],
    dislikes: [],
    dial: 0,
    fillWithTrending: false,
    limit: 10,
    ...given,
  };
}

const SUBJECTS = [
  'diffusion models',
  'speech recognition',
  'robot grasping',
  'graph kernels',
  'protein folding',
  'poker',
];
const FILLER = [
  'We study',
  'a benchmark',
  'with transformers',
  'and limits',
  'of scaling',
  'in practice',
  'for large data',
];

/** A handful of papers on a few subjects, with authors, categories and trends. */
export const somePapers: fc.Arbitrary<MatchingPaper[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 400 }),
      title: fc
        .tuple(fc.constantFrom(...SUBJECTS), fc.constantFrom(...FILLER))
        .map((parts) => parts.join(' ')),
      abstract: fc
        .array(fc.constantFrom(...SUBJECTS, ...FILLER), { maxLength: 8 })
        .map((parts) => parts.join(' ')),
      authors: fc.array(fc.constantFrom('Ada Lovelace', 'A. Lovelace', 'Wei Wang', 'Jörg Müller'), {
        maxLength: 2,
      }),
      categories: fc.uniqueArray(fc.constantFrom('cs.CL', 'cs.CV', 'cs.RO', 'stat.ML'), { maxLength: 2 }),
      trend: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 40, selector: ({ id }) => id },
  )
  .map((rows) => rows.map(({ id, ...rest }) => paper(id, rest)));

const follow = fc.record({
  topic: fc.constantFrom(
    { kind: 'topic', value: 'diffusion-models' } as const,
    { kind: 'topic', value: 'speech-audio' } as const,
    { kind: 'category', value: 'cs.CL' } as const,
    { kind: 'category', value: 'cs.*' } as const,
    { kind: 'author', value: 'Ada Lovelace' } as const,
    { kind: 'query', value: 'robot grasping' } as const,
    { kind: 'query', value: '"protein folding" -poker' } as const,
    { kind: 'trending', value: '' } as const,
  ),
  weight: fc.integer({ min: 1, max: 10 }),
});

/** Profiles over {@link somePapers}. */
export const someProfile: fc.Arbitrary<Profile> = fc
  .record({
    follows: fc.array(follow, { maxLength: 5 }),
    mutes: fc.array(follow, { maxLength: 2 }),
    likes: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 }),
    dislikes: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 3 }),
    dial: fc.integer({ min: 0, max: 100 }),
    fillWithTrending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ follows, mutes, likes, dislikes, ...rest }) => ({
    ...rest,
    follows: follows.map(({ topic, weight }) => ({ ...topic, weight })),
    mutes: mutes.map(({ topic, weight }) => ({ ...topic, weight: -weight })),
    likes: likes as PaperId[],
    dislikes: dislikes as PaperId[],
  }));
