/**
 * The same ASCII text as a flat string of one octet per character. V8 keeps what was built by `+=` as a rope, and what came out of text with
 * other characters at two octets each; one such piece makes the joined message so too. Measured: joining and copying a message
 * takes a fifth of the time with flat pieces.
 */
export function flatAscii(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
