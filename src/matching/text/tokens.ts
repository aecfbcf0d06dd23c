import { stemmer } from 'stemmer';

/** A word of a text: its stem for comparison and where it stands in the text (UTF-16 offsets). */
export type Token = { readonly stem: string; readonly start: number; readonly end: number };

/** Characters of a text that are read; longer ones are cut (no abstract comes near). */
const TEXT_LIMIT = 20_000;
/** Longer words are cut: they are base64, DNA or hostile. */
const WORD_LIMIT = 40;
/** Scripts without spaces between words: every character is a token. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+(?:['’]s\b)?/gu;
const ASCII_WORD = /^[a-z0-9]+$/;

const STEM_CACHE_LIMIT = 200_000;
const stems = new Map<string, string>();

/**
 * Cuts a text into words with Porter stems (Porter, "An algorithm for suffix stripping", 1980), without case and
 * accents; hyphens separate. Any Unicode is read; what is no letter and no digit is skipped.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.slice(0, TEXT_LIMIT).matchAll(WORD)) {
    const stem = stemOf(match[0]);
    if (stem !== '') tokens.push({ stem, start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

/** The stems of a text, in order; faster than {@link tokenize} where positions don't matter. */
export function stemsOf(text: string): string[] {
  return (text.slice(0, TEXT_LIMIT).match(WORD) ?? []).map(stemOf).filter((stem) => stem !== '');
}

function stemOf(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const folded = word
    .slice(0, WORD_LIMIT)
    .toLowerCase()
    .replace(/['’]s$/, '');
  const plain = ASCII_WORD.test(folded) ? folded : folded.normalize('NFKD').replace(/\p{M}/gu, '');
  const stem = ASCII_WORD.test(plain) && plain.length > 2 ? stemmer(plain) : plain;
  if (stems.size >= STEM_CACHE_LIMIT) stems.clear();
  stems.set(word, stem);
  return stem;
}
