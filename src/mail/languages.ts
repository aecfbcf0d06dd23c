import { createCache } from './cache.ts';
import { de } from './languages/de.ts';
import { en } from './languages/en.ts';
import { es } from './languages/es.ts';
import { fr } from './languages/fr.ts';
import { ja } from './languages/ja.ts';
import { zh } from './languages/zh.ts';
import type { Phrases, Plural } from './phrases.ts';

const PHRASES = { en, de, fr, es, zh, ja } as const satisfies Record<string, Phrases>;

/** Languages of the mails, BCP 47. */
export type Language = keyof typeof PHRASES;

/** See {@link Language}. */
export const LANGUAGES = Object.keys(PHRASES) as readonly Language[];

/** A language with everything that depends on it. Made once per language and process: Intl objects are dear. */
export type Locale = {
  readonly language: Language;
  readonly direction: 'ltr' | 'rtl';
  readonly phrases: Phrases;
  /** A number with the language's grouping. */
  number(value: number): string;
  /** A number in few characters, `1.2K`. */
  compact(value: number): string;
  /** `a, b and c`. */
  list(items: readonly string[]): string;
  /** The form of `phrase` for `count`. */
  plural(phrase: Plural, count: number): string;
  /** The calendar date of an instant in a zone, in full; UTC when the zone is unknown here. */
  date(at: Date, timezone: string): string;
  /** A calendar date `YYYY-MM-DD` in full. */
  calendarDate(date: string): string;
};

const locales = new Map<Language, Locale>();
const localesByTag = createCache<Locale>(100);

/** The locale of a stored language tag: the language itself, else its main language (`de-AT` → `de`), else English. */
export function localeOf(tag: string): Locale {
  return localesByTag(tag, () => localeIn(closest(tag)));
}

function localeIn(language: Language): Locale {
  const known = locales.get(language);
  if (known) return known;
  const made = createLocale(language);
  locales.set(language, made);
  return made;
}

function closest(tag: string): Language {
  const lower = tag.toLowerCase();
  const found = LANGUAGES.find((language) => language.toLowerCase() === lower);
  return found ?? LANGUAGES.find((language) => lower.split('-')[0] === language) ?? 'en';
}

function createLocale(language: Language): Locale {
  const numbers = new Intl.NumberFormat(language);
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  const lists = new Intl.ListFormat(language, { type: 'conjunction' });
  const plurals = new Intl.PluralRules(language);
  const dates = createCache<Intl.DateTimeFormat>(1_000);
  const dateFormat = (timezone: string) => dates(timezone, () => createDateFormat(language, timezone));
  return {
    language,
    direction: directionOf(language),
    phrases: PHRASES[language],
    number: (value) => numbers.format(value),
    compact: (value) => (value < 10_000 ? numbers.format(value) : compact.format(value)),
    list: (items) => lists.format(items),
    plural: (phrase, count) => phrase[plurals.select(count)] ?? phrase.other,
    date: (at, timezone) => dateFormat(timezone).format(at),
    calendarDate: (date) => dateFormat('UTC').format(Date.parse(`${date}T00:00:00Z`)),
  };
}

/** Which way the language is written (CLDR). */
function directionOf(language: string): 'ltr' | 'rtl' {
  return new Intl.Locale(language).getTextInfo().direction === 'rtl' ? 'rtl' : 'ltr';
}

function createDateFormat(language: string, timezone: string): Intl.DateTimeFormat {
  const timeZone = isTimeZone(timezone) ? timezone : 'UTC';
  return new Intl.DateTimeFormat(language, { dateStyle: 'full', timeZone });
}

function isTimeZone(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
