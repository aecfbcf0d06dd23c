/** Most characters of a name of a person or an organisation. */
export const NAME_LIMIT = 100;

/** A name in canonical form, or what is wrong with it. */
export type CleanName =
  | { readonly type: 'ok'; readonly name: string }
  | { readonly type: 'invalid'; readonly message: string };

/**
 * Brings a typed name into canonical form: NFC, single spaces, "Lovelace, Ada" as "Ada Lovelace",
 * no quotation marks. Accents stay: they are only ignored when names are compared.
 */
export function cleanName(text: string): CleanName {
  const [family = '', given, more] = text.split(',');
  const ordered = given !== undefined && more === undefined ? `${given} ${family}` : text;
  const name = ordered
    .normalize('NFC')
    .replace(/[\p{C}"“”„«»]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  if (!/\p{L}/u.test(name)) return { type: 'invalid', message: 'a name needs at least one letter' };
  if (name.length > NAME_LIMIT)
    return {
      type: 'invalid',
      message: `this name has ${name.length} characters; at most ${NAME_LIMIT} are possible`,
    };
  return { type: 'ok', name };
}

/** Letters that Unicode does not decompose, as they are usually written in ASCII. */
const LETTERS: Readonly<Record<string, string>> = {
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ı: 'i',
  ħ: 'h',
  ŋ: 'n',
};
const SUFFIXES = new Set(['jr', 'sr', 'ii', 'iii', 'iv', 'phd', 'md']);

/**
 * The parts of a name for comparison: lower case, without accents, dots and hyphens, the family name last.
 * `"Jean-Baptiste Müller Jr."` is `['jean', 'baptiste', 'muller']`.
 */
export function nameTokens(name: string): string[] {
  const [family = '', given, more] = name.split(',');
  const reversed = given !== undefined && more === undefined && !SUFFIXES.has(fold(given).trim());
  const tokens = fold(reversed ? `${given} ${family}` : name)
    .replace(/\([^)]*\)?/g, ' ')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token !== '');
  return tokens.length > 1 ? tokens.filter((token, index) => index === 0 || !SUFFIXES.has(token)) : tokens;
}

/** Lower case without accents and with apostrophes dropped (`O’Neil` is `oneil`). */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}'’ʼ`]/gu, '')
    .replace(/[øđðłßæœþıħŋ]/g, (letter) => LETTERS[letter] ?? letter);
}

/**
 * Text folded as the database folds authors for searching (`folded_names` of the migrations): like {@link fold}, but of
 * marks only those of Latin, Greek and Cyrillic letters go, since PostgreSQL knows no `\p{M}`.
 */
export function searchFold(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'’ʼ`]/g, '')
    .replace(/[øđðłßæœþıħŋ]/g, (letter) => LETTERS[letter] ?? letter);
}

/**
 * Whether two names can be the same person: the same family name, and given names that agree as far as both
 * are given (an initial agrees with every name it begins; middle names may be missing). The order may be
 * turned round ("Wang Wei", "Lovelace Ada") when it is written out. A single name is a family name.
 */
export function sameAuthor(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === 0 || b.length === 0) return false;
  return agree(a, b) || agree(turned(a), b) || agree(a, turned(b));
}

/** Family name first: the last part is moved to the front, so that the former first part is the family name. */
function turned(tokens: readonly string[]): readonly string[] {
  return tokens.length < 2 ? tokens : [...tokens.slice(1), tokens[0] as string];
}

function agree(a: readonly string[], b: readonly string[]): boolean {
  const family = a.at(-1) as string;
  if (family.length < 2 || family !== b.at(-1)) return false;
  const [shorter, longer] =
    a.length <= b.length ? [a.slice(0, -1), b.slice(0, -1)] : [b.slice(0, -1), a.slice(0, -1)];
  if (shorter.length === 0) return true;
  if (shorter.join('') === longer.join('')) return true;
  if (!compatible(shorter[0] as string, longer[0] as string)) return false;
  let at = 1;
  for (const part of shorter.slice(1)) {
    while (at < longer.length && !compatible(part, longer[at] as string)) at += 1;
    if (at >= longer.length) return false;
    at += 1;
  }
  return true;
}

function compatible(a: string, b: string): boolean {
  return a === b || (a.length === 1 && b.startsWith(a)) || (b.length === 1 && a.startsWith(b));
}
