import { describe, expect, test } from 'vitest';
import { coverageLine } from '#src/mail/coverage-words.ts';
import { LANGUAGES, localeOf } from '#src/mail/languages.ts';
import { format, type Plural } from '#src/mail/phrases.ts';

/** Every text of a language by its path, with its places `{name}` sorted. */
function placesOf(value: unknown, path = ''): [string, string[]][] {
  if (typeof value === 'string')
    return [[path, [...value.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string).toSorted()]];
  return Object.entries(value as object).flatMap(([name, inner]) => placesOf(inner, `${path}.${name}`));
}

const isPlural = (value: unknown): value is Plural =>
  typeof value === 'object' && value !== null && 'other' in value;

const english = new Map(placesOf(localeOf('en').phrases));

describe.each(LANGUAGES.filter((language) => language !== 'en'))('%s', (language) => {
  test('says all that English says, with the same places', () => {
    for (const [path, places] of placesOf(localeOf(language).phrases)) {
      const expected = english.get(path) ?? english.get(path.replace(/\.\w+$/, '.other'));
      // "and 9 more" is "10 in all" in some languages.
      const counted = places.map((name) => (name === 'total' ? 'others' : name)).toSorted();
      if (!path.includes('.after.') && !path.includes('.paragraphs.'))
        expect(counted, path).toEqual(expected);
      else if (expected) expect(places, path).toEqual(expected);
    }
  });

  test('has the plural forms that its grammar asks for', () => {
    const { phrases } = localeOf(language);
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const plurals = Object.entries({ ...phrases.digest, ...phrases.digest.subject }).filter(([, value]) =>
      isPlural(value),
    );
    expect(plurals.length).toBeGreaterThan(5);
    // `many` is for millions, written as `other` is.
    for (const [name, plural] of plurals)
      for (const form of forms.filter((each) => each !== 'many'))
        expect(Object.keys(plural), name).toContain(form);
  });
});

describe('a locale', () => {
  test.each([
    ['de-AT', 'de'],
    ['zh-Hans-CN', 'zh'],
    ['JA', 'ja'],
    ['tlh', 'en'],
    ['', 'en'],
  ])('of %j is %s', (tag, language) => expect(localeOf(tag).language).toBe(language));

  test('dates are in the language and in the zone of the reader', () => {
    const late = new Date('2026-06-03T22:30:00Z');
    expect(localeOf('en').date(late, 'Europe/Berlin')).toBe('Thursday, June 4, 2026');
    expect(localeOf('de').date(late, 'America/New_York')).toBe('Mittwoch, 3. Juni 2026');
    expect(localeOf('ja').date(late, 'Asia/Tokyo')).toBe('2026年6月4日木曜日');
    expect(localeOf('en').date(late, 'Mars/Olympus')).toBe('Wednesday, June 3, 2026');
  });

  test('French has its no-break spaces, and no other space stands before a double sign', () => {
    const { phrases } = localeOf('fr');
    expect(phrases.foot.pause).toBe('Pause\u00a0: une semaine, un mois, jusqu’à une date');
    expect(phrases.notices['confirm-address'].heading).toBe('Est-ce votre nouvelle adresse\u202f?');
    expect(phrases.notices.test.paragraphs[1]).toContain('«\u00a0pass\u00a0»');
    expect(JSON.stringify(phrases)).not.toMatch(/ [:;!?»]|« /);
  });

  test('counts agree with their nouns', () => {
    const line = (language: string, shown: number) =>
      coverageLine(localeOf(language), { shown, candidates: 1428, had: null, coverage: null });
    expect([line('en', 1), line('de', 1), line('fr', 1), line('es', 1)]).toEqual([
      '1 of 1,428 papers chosen for you',
      '1 von 1.428 Artikeln für Sie ausgewählt',
      '1 article sur 1\u202f428 choisi pour vous',
      '1 artículo de 1428 elegido para ti',
    ]);
    expect([line('fr', 10), line('es', 10), line('fr', 0)]).toEqual([
      '10 articles sur 1\u202f428 choisis pour vous',
      '10 artículos de 1428 elegidos para ti',
      '0 article sur 1\u202f428 choisi pour vous',
    ]);
  });

  test('a place without a value is a bug that is thrown', () => {
    expect(() => format('{a} and {b}', { a: 1 })).toThrow('no value for {b}');
  });
});
