import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A concept of research: a field, task, method or object of study, and what stands above it. */
export type Concept = {
  /** What it is called, the usual name first: synonyms, spellings and abbreviations. */
  readonly names: readonly string[];
  /** Abbreviations that stand for other things too: understood where a reader wrote them, not in papers. */
  readonly doubtful: readonly string[];
  /** Numbers of the concepts right above it: what it is a kind or a part of. */
  readonly broader: readonly number[];
  /** arXiv categories that its papers stand under, its own or those of the line above; none where they stand anywhere. */
  readonly categories: readonly string[];
};

/** A line of a thesaurus that can't be read: a mistake of whoever edited it. */
const mistake = (line: string, what: string): Error => new Error(`concepts: "${line.trim()}": ${what}`);

/**
 * Reads a thesaurus. A line is a concept: its usual name, then others, between ` | `; one that ends in `?` is doubtful. Two
 * spaces more than the line above put it under that one; after ` < ` stand the usual names of further broader concepts, between
 * `; `, from any of the files; after ` @ ` arXiv categories, which go for what stands under it too. Lines that start with `#` are comments.
 * @returns the concepts; their numbers are their places in it
 * @throws where a line stands too deep, has no name, or names a broader concept that isn't there
 */
export function parseThesaurus(files: readonly string[]): readonly Concept[] {
  const concepts: { names: string[]; doubtful: string[]; broader: number[]; categories: string[] }[] = [];
  const numbers = new Map<string, number>();
  const further: { line: string; number: number; names: string[] }[] = [];
  for (const file of files) {
    const above: number[] = [];
    for (const line of file.split('\n')) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const { depth, names, doubtful, broader, categories } = readLine(line);
      if (!Number.isInteger(depth) || depth > above.length) throw mistake(line, 'wrong indentation');
      const upper = above.slice(0, depth).slice(-1);
      const own =
        categories.length > 0 ? categories : upper.flatMap((each) => concepts[each]?.categories ?? []);
      const number = concepts.push({ names, doubtful, broader: upper, categories: own }) - 1;
      if (names[0] === undefined) throw mistake(line, 'no name');
      numbers.set(names[0], number);
      above.splice(depth, above.length, number);
      further.push({ line, number, names: broader });
    }
  }
  for (const { line, number, names } of further)
    for (const name of names) {
      const broader = numbers.get(name);
      if (broader === undefined) throw mistake(line, `no concept is called "${name}"`);
      concepts[number]?.broader.push(broader);
    }
  return concepts;
}

function readLine(line: string) {
  const [text = '', categories] = line.split(' @ ');
  const [names = '', broader] = text.split(' < ');
  const all = names.trim().split(' | ');
  return {
    depth: (line.length - line.trimStart().length) / 2,
    names: all.filter((name) => !name.endsWith('?')),
    doubtful: all.filter((name) => name.endsWith('?')).map((name) => name.slice(0, -1)),
    broader: broader?.split('; ') ?? [],
    categories: categories?.split(' ') ?? [],
  };
}

const FOLDER = join(import.meta.dirname, 'concepts');
let known: readonly Concept[] | undefined;

/** The thesaurus that Paperboy ships: some 4,000 concepts of arXiv's fields. Read once, when first asked for. */
export function researchConcepts(): readonly Concept[] {
  known ??= parseThesaurus(
    readdirSync(FOLDER)
      .toSorted()
      .map((name) => readFileSync(join(FOLDER, name), 'utf8')),
  );
  return known;
}
