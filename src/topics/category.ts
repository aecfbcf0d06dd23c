import { ARXIV_ARCHIVES, ARXIV_CATEGORIES, findCategory } from './catalogue.ts';
import { closest } from './closest.ts';

/** A category or a whole archive in canonical form (`cs.CL`, `cs.*`), or what is wrong. */
export type ParsedCategory =
  | { readonly type: 'ok'; readonly pattern: string }
  | { readonly type: 'invalid'; readonly message: string };

/** Reads `cs.CL`, `CS.cl`, `cs.*` or `cs` (a whole archive). */
export function parseCategory(text: string): ParsedCategory {
  const typed = text.trim();
  const archive = typed.toLowerCase().replace(/\.\*$/, '');
  if (ARXIV_ARCHIVES.includes(archive)) return { type: 'ok', pattern: `${archive}.*` };
  const known = findCategory(typed) ?? findCategory(archive);
  if (known) return { type: 'ok', pattern: known.code };
  const names = new Map(ARXIV_CATEGORIES.map(({ code }) => [code.toLowerCase(), code]));
  for (const each of ARXIV_ARCHIVES) names.set(`${each}.*`, `${each}.*`);
  const near = closest(typed.toLowerCase(), names.keys());
  const fix = near
    ? `did you mean ${names.get(near)}?`
    : 'use a code such as cs.CL, or cs.* for a whole archive';
  return { type: 'invalid', message: `"${shorten(typed)}" is no arXiv category; ${fix}` };
}

/** Whether a paper's category falls under a pattern in canonical form. */
export function categoryMatches(pattern: string, category: string): boolean {
  return pattern.endsWith('.*') ? category.startsWith(pattern.slice(0, -1)) : category === pattern;
}

/** Text of outside origin cut to a length that a message can bear. */
export function shorten(text: string, length = 40): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
