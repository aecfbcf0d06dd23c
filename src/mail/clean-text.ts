/**
 * Everything that must never reach a mail as it is: C0 and C1 controls, line and paragraph separators, bidirectional
 * embeddings, overrides and isolates (an unclosed one would turn the text behind it), byte order marks,
 * interlinear annotations, tag characters, and halves of surrogate pairs.
 */
const UNWANTED =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}\ufffe\uffff]/gu;

/**
 * One line of harmless text: unwanted characters removed, runs of white space (line breaks included) made one space, trimmed, NFC.
 * A letter is never lost; unpaired surrogates are.
 */
export function cleanText(text: string): string {
  return text
    .replace(UNWANTED, '')
    .replace(/[\s\u2028\u2029]+/gu, ' ')
    .trim()
    .normalize('NFC');
}
