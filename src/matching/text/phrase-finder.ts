/** A text cut into words, for any number of finders. */
export type ReadText = {
  readonly words: readonly string[];
  /** Each for comparison: lower case, singular. */
  readonly forms: readonly string[];
  /** How the text spells its words from one to before another. */
  spell(from: number, to: number): string;
};

/** A paper's text for finders. */
export type ReadPaper = { readonly title: ReadText; readonly abstract: ReadText };

/** A phrase found: its key, and its words from the first to before the last. */
export type FoundPhrase<Key> = { readonly key: Key; readonly from: number; readonly to: number };

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const FIRST_WORD = /[\p{L}\p{N}\p{M}]+/u;
const CAPITALS = /\p{Lu}\p{Lu}|\p{Ll}\p{Lu}/u;
const TEXT_LIMIT = 20_000;

/** Cuts a text into words; hyphens separate. */
export function readText(whole: string): ReadText {
  const text = whole.slice(0, TEXT_LIMIT);
  const words = text.match(WORD) ?? [];
  let places: RegExpExecArray[] | undefined;
  return {
    words,
    forms: words.map(formOf),
    spell(from, to) {
      places ??= [...text.matchAll(WORD)];
      const last = places[to - 1];
      return text.slice(places[from]?.index, last && last.index + last[0].length);
    },
  };
}

/** {@link readText} of title and abstract. */
export const readPaper = (paper: { readonly title: string; readonly abstract: string }): ReadPaper => ({
  title: readText(paper.title),
  abstract: readText(paper.abstract),
});

const FORMS_LIMIT = 200_000;
const formByWord = new Map<string, string>();

function formOf(word: string): string {
  let form = formByWord.get(word);
  if (form === undefined) {
    form = singular(word.toLowerCase());
    if (formByWord.size >= FORMS_LIMIT) formByWord.clear();
    formByWord.set(word, form);
  }
  return form;
}

/** English plural endings taken off. Weaker than stemming on purpose: "discrimination" is not "discriminator". */
export function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || /(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  return word.slice(0, -1);
}

/** Finds many phrases in a text in one pass. With `anyCase`, capitals don't matter. */
export type PhraseFinder<Key> = (text: ReadText, anyCase?: boolean) => FoundPhrase<Key>[];

/**
 * Where the words read so far lead to: the phrases that end here, and what may come next. `later` are phrases that begin with the
 * word read, and were not cut into words yet: no text held it.
 */
type Node<Key> = {
  ends?: End<Key>[];
  next?: Map<string, Node<Key>>;
  later?: (readonly [phrase: string, key: Key])[] | undefined;
};
/** A phrase's key, and of each of its words the text that it must have, undefined where its form is enough; absent where all are. */
type End<Key> = { readonly key: Key; readonly exact?: readonly (string | undefined)[] };

/**
 * Builds a finder. Plurals and hyphens don't matter; a word of a phrase with two capitals in a row, or a capital after a
 * small letter ("ASR", "LoRA"), must have the same capitals in the text.
 */
export function createPhraseFinder<Key>(
  phrases: Iterable<readonly [phrase: string, key: Key]>,
): PhraseFinder<Key> {
  const roots = new Map<string, Node<Key>>();
  for (const phrase of phrases) {
    const first = phrase[0].match(FIRST_WORD)?.[0];
    if (first === undefined) continue;
    const node = childOf(roots, formOf(first));
    (node.later ??= []).push(phrase);
  }
  return (text, anyCase = false) => find(text, roots, anyCase);
}

function childOf<Key>(children: Map<string, Node<Key>>, form: string): Node<Key> {
  let child = children.get(form);
  if (!child) children.set(form, (child = {}));
  return child;
}

/** Cuts the phrases that begin with a word into words. */
function grow<Key>(root: Node<Key>, phrases: Iterable<readonly [phrase: string, key: Key]>): void {
  root.later = undefined;
  for (const [text, key] of phrases) {
    const { words, forms } = readText(text);
    let node = root;
    for (const form of forms.slice(1)) node = childOf((node.next ??= new Map()), form);
    const exact = words.map((word) => (CAPITALS.test(word) ? word : undefined));
    (node.ends ??= []).push(exact.some((word) => word !== undefined) ? { key, exact } : { key });
  }
}

function find<Key>(
  { words, forms }: ReadText,
  roots: ReadonlyMap<string, Node<Key>>,
  anyCase: boolean,
): FoundPhrase<Key>[] {
  const found: FoundPhrase<Key>[] = [];
  for (let from = 0; from < forms.length; from += 1) {
    let to = from;
    let node = roots.get(forms[to] as string);
    if (node?.later) grow(node, node.later);
    while (node) {
      to += 1;
      for (const { key, exact } of node.ends ?? NONE)
        if (anyCase || !exact || exact.every((word, at) => isExact(words[from + at], word)))
          found.push({ key, from, to });
      node = to < forms.length ? node.next?.get(forms[to] as string) : undefined;
    }
  }
  return found;
}

const NONE: readonly never[] = [];

const isExact = (word: string | undefined, exact: string | undefined): boolean =>
  exact === undefined || word === exact || word === `${exact}s`;
