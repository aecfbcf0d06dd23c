import { isAscii } from 'node:buffer';
import { type Chunks, readerTokens } from './chunk.ts';
import { LINK_TOKENS, type ReaderTokens, TOKEN_LENGTH } from './links.ts';

/**
 * The octets of a message before they are in one place: header and body with CRLF line ends, no line over 998 octets, no bare CR or LF; not
 * dot-stuffed and without the final dot. They are written when a connection is free, into memory that it keeps: a buffer for each message
 * that waits made the collector of garbage dearer than composing.
 */
export type Content = {
  /** Octets. */
  readonly length: number;
  /** Printable ASCII whose last line is ended and of which none begins with a dot: it goes on the wire as it is. */
  readonly plain: boolean;
  /** Puts them at `at`, behind which there must be room for them. */
  write(into: Buffer, at: number): void;
};

/** Octets that are in one place already. They must not change until the message is sent. */
export function contentOf(raw: Buffer): Content {
  const text = raw.toString('latin1');
  return {
    length: raw.length,
    plain: isAscii(raw) && text.endsWith('\n') && !/^\./m.test(text),
    write: (into, at) => void raw.copy(into, at),
  };
}

/** A message's octets in a buffer of their own. */
export function rawOf({ content }: { readonly content: Content }): Buffer {
  const raw = Buffer.allocUnsafe(content.length);
  content.write(raw, 0);
  return raw;
}

/**
 * Encoded chunks behind a header, with a reader's tokens in their places.
 * @param head ASCII, ended by an empty line
 * @param chunks the last one ends its line
 * @throws RangeError for a token of another length, and for an open chunk without tokens
 */
export function chunkedContent(head: string, chunks: Chunks, tokens?: ReaderTokens): Content {
  let length = head.length;
  let plain = true;
  let closed = true;
  for (const chunk of chunks) {
    length += chunk.octets.length;
    plain &&= chunk.plain;
    closed &&= chunk.places.length === 0;
  }
  const open = closed ? '' : tokenOctets(tokens);
  return {
    length,
    plain,
    write: (into, at) => {
      into.write(head, at, 'latin1');
      writeChunks(chunks, open, into, at + head.length);
    },
  };
}

/** All tokens of a reader, one behind the other. */
function tokenOctets(tokens: ReaderTokens | undefined): string {
  if (!tokens) throw new RangeError('an open link, and no tokens');
  let all = '';
  for (const purpose of LINK_TOKENS) {
    const token = tokens[purpose];
    // Its places would not fit.
    if (token.length !== TOKEN_LENGTH) throw new RangeError(`a token of another length: ${purpose}`);
    all += token;
  }
  return all;
}

function writeChunks(chunks: Chunks, tokens: string, into: Buffer, start: number): void {
  readerTokens.write(tokens, 'latin1');
  let end = start;
  for (const { octets, places } of chunks) {
    into.set(octets, end);
    for (const place of places) into.set(place.octets, end + place.at);
    end += octets.length;
  }
}
