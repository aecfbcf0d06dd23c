import { displayText } from '#src/mail/display-text.ts';
import { opening } from '#src/mail/excerpt.ts';

export { displayText };

/** How much of an abstract a list shows, in characters. */
const OPENING = 360;

/** How texts of outside origin are shown in lists: as in the mails. */
export const SHOW = {
  display: displayText,
  opening: (text: string): string => opening(displayText(text), OPENING, 'en'),
};
