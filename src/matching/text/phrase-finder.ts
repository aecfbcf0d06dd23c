/** A word as it stands in a text, and its form for comparison: lower case, singular, hyphens apart. */
type Word = { readonly text: string; readonly form: string; readonly start: number; readonly end: number };
type Phrase<Key> = {
  readonly forms: readonly string[];
  readonly exact: readonly string[] | null;
  readonly key: Key;
};

/** A phrase found: its key, and the text it stands for in its own spelling. */
export type FoundPhrase<Key> = { readonly key: Key; readonly surface: string };

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const TEXT_LIMIT = 20_000;

/** Words of a text for {@link PhraseFinder}. */
function wordsOf(text: string): Word[] {
  return Array.from(text.slice(0, TEXT_LIMIT).matchAll(WORD), (match) => ({
    text: match[0],
    form: singular(match[0].toLowerCase()),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** English plural endings taken off. Weaker than stemming on purpose: "discrimination" is not "discriminator". */
export function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || /(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  return word.slice(0, -1);
}

/** Finds many phrases in a text in one pass. */
export type PhraseFinder<Key> = (text: string) => FoundPhrase<Key>[];

/**
 * Builds a finder. Plurals and hyphens don't matter; a phrase with two capitals in a row, or a capital after a
 * small letter ("ASR", "LoRA"), must have the same capitals in the text.
 */
export function createPhraseFinder<Key>(
  phrases: Iterable<readonly [phrase: string, key: Key]>,
): PhraseFinder<Key> {
  const byFirst = new Map<string, Phrase<Key>[]>();
  for (const [text, key] of phrases) {
    const words = wordsOf(text);
    const first = words[0];
    if (!first) continue;
    const exact = /\p{Lu}\p{Lu}|\p{Ll}\p{Lu}/u.test(text) ? words.map((word) => word.text) : null;
    const phrase = { forms: words.map(({ form }) => form), exact, key };
    const others = byFirst.get(first.form);
    if (others) others.push(phrase);
    else byFirst.set(first.form, [phrase]);
  }
  return (text) => find(text, byFirst);
}

function find<Key>(text: string, byFirst: ReadonlyMap<string, readonly Phrase<Key>[]>): FoundPhrase<Key>[] {
  const words = wordsOf(text);
  const found: FoundPhrase<Key>[] = [];
  words.forEach((word, at) => {
    for (const { forms, exact, key } of byFirst.get(word.form) ?? [])
      if (forms.every((form, offset) => fits(words[at + offset], form, exact?.[offset])))
        found.push({ key, surface: text.slice(word.start, (words[at + forms.length - 1] as Word).end) });
  });
  return found;
}

function fits(word: Word | undefined, form: string, exact: string | undefined): boolean {
  if (!word || word.form !== form) return false;
  return exact === undefined || word.text === exact || word.text === `${exact}s`;
}
