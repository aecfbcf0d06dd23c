import { describe, expect, it } from 'vitest';
import { readText } from '#src/matching/text/phrase-finder.ts';
import { findCategory } from '#src/topics/catalogue.ts';
import { parseThesaurus, researchConcepts } from '#src/topics/concepts.ts';

describe('a thesaurus', () => {
  it('is read line by line: names, doubtful ones, what stands above, and categories of its own or the line above', () => {
    const [learning, trees, ranking, search] = parseThesaurus([
      '# a comment\nlearning @ cs.LG stat.ML\n  decision tree | random forest | DT?\n  learning to rank | LTR < search @ cs.IR\n',
      'search | retrieval\n',
    ]);
    expect(learning).toEqual({
      names: ['learning'],
      doubtful: [],
      broader: [],
      categories: ['cs.LG', 'stat.ML'],
    });
    expect(trees).toEqual({
      names: ['decision tree', 'random forest'],
      doubtful: ['DT'],
      broader: [0],
      categories: ['cs.LG', 'stat.ML'],
    });
    expect(ranking).toEqual({
      names: ['learning to rank', 'LTR'],
      doubtful: [],
      broader: [0, 3],
      categories: ['cs.IR'],
    });
    expect([search?.names, search?.categories]).toEqual([['search', 'retrieval'], []]);
  });

  it.each([
    ['learning\n    tree\n', 'wrong indentation'],
    ['learning\n tree\n', 'wrong indentation'],
    ['  tree\n', 'wrong indentation'],
    ['tree < learning\n', 'no concept is called "learning"'],
    ['DT?\n', 'no name'],
  ])('says what is wrong with a line: %j', (text, message) => {
    expect(() => parseThesaurus([text])).toThrow(message);
  });
});

describe('the thesaurus that is shipped', () => {
  const concepts = researchConcepts();
  const all = concepts.flatMap(({ names, doubtful }, number) =>
    [...names, ...doubtful].map((name) => ({ name, number })),
  );
  /** A name as texts are searched for it: see `createPhraseFinder`. */
  const searched = (name: string): string => {
    const { words, forms } = readText(name);
    return words.map((word, at) => (/\p{Lu}\p{Lu}|\p{Ll}\p{Lu}/u.test(word) ? word : forms[at])).join(' ');
  };

  it('is of a useful size', () => {
    expect(concepts.length).toBeGreaterThan(3_500);
    expect(all.length).toBeGreaterThan(7_000);
  });

  it('has no name twice, in one concept or in two', () => {
    const twice = [...Map.groupBy(all, ({ name }) => searched(name))]
      .filter(([, equal]) => equal.length > 1)
      .map(([, equal]) => equal.map(({ name, number }) => `${name} (${concepts[number]?.names[0]})`));
    expect(twice).toEqual([]);
  });

  it('has names that texts can hold, and nothing left of its own signs', () => {
    const strange = all
      .map(({ name }) => name)
      .filter(
        (name) =>
          !/^[\p{L}\p{N}][\p{L}\p{N}'’(),+*/&.\- ]*$/u.test(name) ||
          /\s{2}| $/.test(name) ||
          readText(name).words.length > 6 ||
          // Small words of two letters stand in every text.
          /^[\p{Ll}]{1,2}$/u.test(name),
      );
    expect(strange).toEqual([]);
  });

  it('names categories that arXiv has', () => {
    const named = concepts.flatMap(({ categories }) => categories);
    expect(new Set(named).size).toBeGreaterThan(100);
    expect(named.filter((code) => findCategory(code)?.code !== code)).toEqual([]);
  });

  it('has nothing above itself', () => {
    const isAbove = (upper: number, lower: number, seen = new Set<number>()): boolean =>
      (concepts[lower]?.broader ?? []).some((broader) => {
        if (broader === upper) return true;
        if (seen.has(broader)) return false;
        return isAbove(upper, broader, seen.add(broader));
      });
    expect(concepts.filter((_, number) => isAbove(number, number))).toEqual([]);
  });
});
