import { cleanText } from './clean-text.ts';
import { texToUnicode } from './tex.ts';

/** Hebrew, Arabic and their kin: letters written from right to left. */
export const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A name between others in a line of text: behind one from right to left a LEFT-TO-RIGHT MARK (UAX #9), so that two of them do not change places. */
export function setApart(name: string): string {
  return RIGHT_TO_LEFT.test(name) ? `${name}\u200e` : name;
}

/**
 * Text of outside origin for display: cleaned (clean-text.ts), and light TeX as Unicode where its meaning is certain (tex.ts).
 * Everything uncertain stays as it is. Not for storage.
 */
export function displayText(text: string): string {
  return cleanText(texToUnicode(cleanText(text)));
}
