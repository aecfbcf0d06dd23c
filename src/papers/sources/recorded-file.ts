import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf } from '../source.ts';
import { isFields } from './loose-record.ts';

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

/** A call as `KEEP_ANSWERS_IN` and recordings of arXiv keep it: `{"url", "status_code", "body"}`; null for anything else. */
export function recordedCall(file: Buffer): { readonly url: string; readonly body: Buffer } | null {
  const call = jsonOf(file);
  if (!isFields(call) || typeof call['body'] !== 'string') return null;
  const { url, body } = call;
  return { url: typeof url === 'string' ? url : '', body: Buffer.from(body) };
}

/** The JSON value of a UTF-8 body without byte order mark, undefined when it is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
