import { tokenize } from './tokens.ts';

/**
 * Terms (stems, or pairs of stems with a space) as a paper spells them, for showing: at most `limit`, in the
 * order given; a word that a shown pair holds already is left out.
 */
export function showTerms(
  paper: { readonly title: string; readonly abstract: string },
  terms: readonly string[],
  limit: number,
): string[] {
  const spellings = new Map<string, string>();
  for (const text of [paper.title, paper.abstract]) collect(text, spellings);
  const shown: string[] = [];
  for (const term of terms) {
    if (shown.length >= limit) break;
    const spelling = spellings.get(term);
    if (spelling && !shown.some((other) => holdsWord(other, spelling))) {
      const rest = shown.filter((other) => !holdsWord(spelling, other));
      shown.splice(0, shown.length, ...rest, spelling);
    }
  }
  return shown;
}

function collect(text: string, spellings: Map<string, string>): void {
  const tokens = tokenize(text);
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    if (!spellings.has(token.stem)) spellings.set(token.stem, text.slice(token.start, token.end));
    if (!next) return;
    const pair = `${token.stem} ${next.stem}`;
    if (!spellings.has(pair)) spellings.set(pair, text.slice(token.start, next.end).replace(/\s+/g, ' '));
  });
}

const holdsWord = (text: string, part: string): boolean =>
  ` ${text.toLowerCase()} `.includes(` ${part.toLowerCase()} `);
