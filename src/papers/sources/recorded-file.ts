import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf } from '../source.ts';

/** A whole file, unpacked, or why not. */
export type RecordedFile = { readonly body: Buffer } | { readonly message: string };

/** Bytes of a recorded answer at most, packed and unpacked. */
const MAX_BYTES = 64 * 1024 * 1024;
const unpack = promisify(gunzip);

/** Reads a recorded answer, gzipped or plain; larger ones than 64 MiB are refused in bounded memory. */
export async function readRecorded(file: string): Promise<RecordedFile> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) return { message: `${size} bytes: a recorded answer has ${MAX_BYTES} at most` };
    const bytes = await readFile(file);
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return { body: packed ? await unpack(bytes, { maxOutputLength: MAX_BYTES }) : bytes };
  } catch (error) {
    return { message: messageOf(error) };
  }
}

/** The JSON value of a UTF-8 body without byte order mark, undefined when it is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
