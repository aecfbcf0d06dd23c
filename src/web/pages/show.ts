/** How texts of outside origin are shown. */
const controls = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]+/gu;

/** Removes what can't be displayed and joins runs of white space. */
export const displayText = (text: string): string => text.replace(/\s+/g, ' ').replace(controls, '').trim();

/** The opening of an abstract: whole words, about `limit` characters. */
export function opening(text: string, limit = 320): string {
  const shown = displayText(text);
  if (shown.length <= limit) return shown;
  const cut = shown.slice(0, limit);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), limit / 2)).replace(/[\s,;:]+$/, '')}…`;
}

/** For the lists. */
export const SHOW = { display: displayText, opening };
