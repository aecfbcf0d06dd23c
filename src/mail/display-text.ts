import { cleanText } from './clean-text.ts';
import { texToUnicode } from './tex.ts';

/**
 * Text of outside origin for display: cleaned (clean-text.ts), and light TeX as Unicode where its meaning is certain (tex.ts).
 * Everything uncertain stays as it is. Not for storage.
 */
export function displayText(text: string): string {
  return cleanText(texToUnicode(cleanText(text)));
}
