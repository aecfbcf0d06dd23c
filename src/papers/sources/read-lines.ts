import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../source.ts';

/** A line of a file (numbered from 1), or what is wrong there. A fault without a line concerns the rest of the file. */
export type FileLine =
  | { readonly type: 'line'; readonly number: number; readonly text: string }
  | { readonly type: 'fault'; readonly number?: number; readonly message: string };

/** Bytes of one line at most, unpacked. */
const MAX_LINE = 8 * 1024 * 1024;
const NEWLINE = 0x0a;
const GZIP = Buffer.from([0x1f, 0x8b]);

/**
 * The lines of a UTF-8 text file, gzipped or plain (told by its first bytes, not its name), in memory bounded by the
 * longest line allowed (8 MiB). Empty lines are left out, a byte order mark and the `\r` of `\r\n` are removed. A line
 * that is too long or not UTF-8 is a fault and reading goes on; a broken file is a fault and ends the reading.
 */
export async function* readLines(file: string): AsyncIterable<FileLine> {
  try {
    yield* splitLines(await openText(file));
  } catch (error) {
    yield { type: 'fault', message: messageOf(error) };
  }
}

async function firstBytes(file: string): Promise<Buffer> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return buffer.subarray(0, bytesRead);
}

async function openText(file: string): Promise<Readable> {
  const magic = await firstBytes(file);
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
  if (!magic.equals(GZIP)) return stream;
  const unpacked = createGunzip({ chunkSize: 256 * 1024 });
  stream.on('error', (error) => unpacked.destroy(error));
  return stream.pipe(unpacked);
}

async function* splitLines(stream: AsyncIterable<Buffer>): AsyncIterable<FileLine> {
  const line = createLine();
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      line.add(chunk.subarray(start, end));
      yield* line.finish();
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
  yield* line.finish();
}

/** Collects the pieces of one line; what is beyond the limit is counted, not kept. */
function createLine() {
  let pieces: Buffer[] = [];
  let length = 0;
  let number = 0;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return {
    add(piece: Buffer) {
      length += piece.length;
      if (length <= MAX_LINE && piece.length > 0) pieces.push(piece);
    },
    *finish(): Iterable<FileLine> {
      number += 1;
      const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
      const tooLong = length > MAX_LINE;
      pieces = [];
      length = 0;
      if (tooLong) return yield { type: 'fault', number, message: `a line of more than ${MAX_LINE} bytes` };
      const text = decode(bytes, decoder);
      if (text === undefined) yield { type: 'fault', number, message: 'not UTF-8 text' };
      else if (text.trim() !== '') yield { type: 'line', number, text: text.replace(/\r$/, '') };
    },
  };
}

function decode(bytes: Buffer, decoder: { decode(bytes: Buffer): string }): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
