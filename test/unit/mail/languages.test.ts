import { describe, expect, test } from 'vitest';
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

  test('a place without a value is a bug that is thrown', () => {
    expect(() => format('{a} and {b}', { a: 1 })).toThrow('no value for {b}');
  });
});
