import { LINK_TOKENS, openPlaces, TOKEN_LENGTH } from './links.ts';

/**
 * The tokens of the reader whose message is being written, one behind the other: the open places of all chunks are views of it. Only one
 * message is written at a time.
 */
export const readerTokens = Buffer.alloc(LINK_TOKENS.length * TOKEN_LENGTH);

/** Where tokens go in a chunk: `octets`, a view of {@link readerTokens}, belong at `at`. A view that is ready is copied fastest. */
export type Place = { readonly at: number; readonly octets: Buffer };

/** Finished octets of a message, but for the places where a reader's tokens go. Encoded once, copied into many messages. */
export type Chunk = {
  readonly octets: Buffer;
  /** In ascending order. */
  readonly places: readonly Place[];
  /** No line of it begins with a dot, nor does it, whatever stands before it: SMTP has nothing to stuff. */
  readonly plain: boolean;
};

/** Chunks in a row. */
export type Chunks = readonly Chunk[];

/** Something that puts its chunks behind those that are there. */
export type Part = (out: Chunk[]) => void;

/** Longest line of a mail, its CRLF left out (RFC 5322 §2.1.1). */
const LONGEST_LINE = 998;

/**
 * Encoded text as octets. It is checked here, once, and not in every message.
 * @param text printable ASCII with CRLF line ends, and open tokens
 * @throws RangeError for anything else: what is not ASCII would be torn
 */
export function chunkOf(text: string): Chunk {
  if (/[^\r\n\x20-\x7e\ue000-\uf8ff]|\r(?!\n)|(?<!\r)\n/.test(text))
    throw new RangeError('text of a mail that is not ASCII with CRLF');
  if (text.split('\r\n').some((line) => line.length > LONGEST_LINE))
    throw new RangeError('a line of a mail is too long');
  const places = openPlaces(text).map(({ at, from, to }) => ({ at, octets: viewOf(from, to) }));
  return { octets: Buffer.from(text, 'latin1'), places, plain: !/(?:^|\n)\./.test(text) };
}

const views = new Map<string, Buffer>();

/** Encoding tears tokens at few places: their views are shared. */
function viewOf(from: number, to: number): Buffer {
  const key = `${from} ${to}`;
  let view = views.get(key);
  if (!view) views.set(key, (view = readerTokens.subarray(from, to)));
  return view;
}

/** Chunks in a row as one: fewer to copy into each message. */
export function joinChunks(chunks: Chunks): Chunk {
  let start = 0;
  const places: Place[] = [];
  for (const chunk of chunks) {
    for (const place of chunk.places) places.push({ ...place, at: start + place.at });
    start += chunk.octets.length;
  }
  const octets = Buffer.concat(chunks.map((chunk) => chunk.octets));
  return { octets, places, plain: chunks.every(({ plain }) => plain) };
}

/** Octets of chunks in a row. */
export function lengthOf(chunks: Chunks): number {
  return chunks.reduce((length, { octets }) => length + octets.length, 0);
}
