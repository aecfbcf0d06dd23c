import { stemmer } from 'stemmer';

/** Characters of a text that are read; longer ones are cut (no abstract comes near). */
const TEXT_LIMIT = 20_000;
/** Longer words are cut: they are base64, DNA or hostile. */
const WORD_LIMIT = 40;
/** Scripts without spaces between words: every character is a token. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+(?:['’]s\b)?/gu;
const ASCII_WORD = /^[a-z0-9]+$/;
/** The first character of Unicode that combines with the one before it. */
const FIRST_ACCENT = 0x300;

const STEM_CACHE_LIMIT = 200_000;
const stems = new Map<string, string>();

/**
 * The stems of a text's words, in order: Porter stems (Porter, "An algorithm for suffix stripping", 1980), without case and
 * accents; hyphens separate. Any Unicode is read; what is no letter and no digit is skipped.
 */
export function stemsOf(text: string): string[] {
  return matchWords(text)
    .map(stemOf)
    .filter((stem) => stem !== '');
}

/** Where the words of a text stand: UTF-16 offsets beside its stems. */
export type Offsets = { readonly starts: Int32Array; readonly ends: Int32Array };

/** Offsets of the words whose stems {@link stemsOf} gives, in the same order. */
export function offsetsOf(text: string): Offsets {
  const starts: number[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const word of matchWords(text)) {
    // Between words stands nothing that could be one: the first place is the word's own.
    const start = text.indexOf(word, end);
    end = start + word.length;
    // Only what begins with an accent may have no stem; looking every word up would take four times as long.
    if (word.charCodeAt(0) >= FIRST_ACCENT && stemOf(word) === '') continue;
    starts.push(start);
    ends.push(end);
  }
  return { starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
}

const matchWords = (text: string): string[] => text.slice(0, TEXT_LIMIT).match(WORD) ?? [];

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
