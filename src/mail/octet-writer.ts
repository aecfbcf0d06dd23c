import type { Chunk, Chunks } from './chunk.ts';
import { LINK_TOKENS, type ReaderTokens, TOKEN_LENGTH } from './links.ts';

/**
 * Writes one message after the other into a buffer that it keeps: measured, lists of what to join made more garbage than the messages
 * themselves, and its collection cost more than copying the finished message out.
 */
export type OctetWriter = {
  /** ASCII. */
  text(ascii: string): void;
  chunk(chunk: Chunk): void;
  chunks(chunks: Chunks): void;
};

/** Something that writes finished octets. */
export type Part = (out: OctetWriter) => void;

/** Room for a usual digest; it grows. */
const FIRST_SIZE = 128 * 1024;

/**
 * Creates a function that gives the octets of a part, with a reader's tokens in their places. It cannot be used inside itself.
 * @throws RangeError (the function) for a token of another length, and for an open chunk without tokens
 */
export function createOctetWriter(): (part: Part, tokens?: ReaderTokens) => Buffer {
  let octets = Buffer.allocUnsafeSlow(FIRST_SIZE);
  let length = 0;
  const open = Buffer.alloc(LINK_TOKENS.length * TOKEN_LENGTH);
  // Most places take a whole token, and a view that is ready is copied in a third of the time.
  const wholes = LINK_TOKENS.map((_, index) =>
    open.subarray(index * TOKEN_LENGTH, (index + 1) * TOKEN_LENGTH),
  );
  let known = 0;

  const reserve = (more: number) => {
    if (length + more <= octets.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (length + more));
    octets.copy(larger, 0, 0, length);
    octets = larger;
  };
  const out: OctetWriter = {
    text: (ascii) => {
      reserve(ascii.length);
      length += octets.write(ascii, length, 'latin1');
    },
    chunk: (chunk) => {
      reserve(chunk.octets.length);
      octets.set(chunk.octets, length);
      for (const { at, from, to } of chunk.places) {
        if (to > known) throw new RangeError('an open link, and no tokens');
        const whole = to - from === TOKEN_LENGTH ? wholes[from / TOKEN_LENGTH] : undefined;
        if (whole) octets.set(whole, length + at);
        else open.copy(octets, length + at, from, to);
      }
      length += chunk.octets.length;
    },
    chunks: (chunks) => {
      for (const chunk of chunks) out.chunk(chunk);
    },
  };
  return (part, tokens) => {
    known = tokens ? placeTokens(tokens, open) : 0;
    length = 0;
    part(out);
    const written = Buffer.allocUnsafe(length);
    octets.copy(written, 0, 0, length);
    return written;
  };
}

/** Puts a reader's tokens one after the other. @returns their octets */
function placeTokens(tokens: ReaderTokens, into: Buffer): number {
  let at = 0;
  for (const purpose of LINK_TOKENS) {
    const token = tokens[purpose];
    // Its places would not fit.
    if (token.length !== TOKEN_LENGTH) throw new RangeError(`a token of another length: ${purpose}`);
    at += into.write(token, at, 'latin1');
  }
  return at;
}
