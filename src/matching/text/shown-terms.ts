import type { Strongest } from '../shared-terms.ts';
import { readText } from './phrase-finder.ts';
import type { TermSpeller } from './show-terms.ts';

/** What a concept must add to a score to be named: 0.6 is the least that free text and examples need. */
const WEIGHS = 0.1;

/**
 * The words that speak for a paper, as it spells them, and among them the usual name of the concept that speaks most for it: by
 * weight, at most `limit`. A concept is left out where a shown word or pair says it already, by whichever of its names; a shown
 * word that its usual name holds is left out for it.
 */
export function showTerms(
  spell: TermSpeller,
  position: number,
  { terms, concept }: Strongest,
  limit: number,
): string[] {
  const shown = spell(position, terms);
  if (!concept || concept.weight < WEIGHS) return shown;
  const before = spell(position, terms.slice(0, concept.after)).length;
  const forms = shown.map(formsOf);
  if (before >= limit || forms.some((form) => concept.names.some((name) => form.includes(formsOf(name)))))
    return shown;
  const [name = ''] = concept.names;
  const own = formsOf(name);
  const kept = (_: string, at: number): boolean => !own.includes(forms[at] as string);
  return [
    ...shown.slice(0, before).filter(kept),
    name,
    ...shown.filter((term, at) => at >= before && kept(term, at)),
  ].slice(0, limit);
}

/** Words for comparison, with spaces on both sides. */
const formsOf = (text: string): string => ` ${readText(text).forms.join(' ')} `;
