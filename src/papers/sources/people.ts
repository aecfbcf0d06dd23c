/**
 * People out of one text: `A. B, C. D and E F (Some University)`. Affiliations in parentheses go, at any depth.
 */
export function splitAuthors(text: string): string[] {
  let depth = 0;
  let plain = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (depth === 0) plain += character;
    if (character === ')' && depth > 0) depth -= 1;
  }
  // A parenthesis that never closes is no affiliation.
  const names = (depth === 0 ? plain : text).split(/,\s*(?:and\s+)?|\s+and\s+|;/);
  return names.map((name) => name.trim()).filter((name) => name !== '');
}
