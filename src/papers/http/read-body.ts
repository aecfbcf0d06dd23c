import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** More bytes than allowed came, as sent or unpacked. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** An encoding that was not asked for. */
export class UnknownEncoding extends Error {
  override readonly name = 'UnknownEncoding';
}

const DECODERS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
/** What may be asked for with Accept-Encoding. */
export const ENCODINGS = 'gzip, deflate, br';

/**
 * The whole body, unpacked. Memory is bounded by `maxBytes` whatever the packed size is.
 * @throws TooLarge, UnknownEncoding, or the stream's error (cut short, not what its encoding says)
 */
export async function readBody(
  body: Readable,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  const unpacked = unpack(body, encoding);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new TooLarge(`more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  } finally {
    // A body left half read would keep its connection.
    body.destroy();
  }
}

function unpack(body: Readable, encoding: string | undefined): AsyncIterable<unknown> {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const decoder = DECODERS[name]?.();
  if (!decoder) throw new UnknownEncoding(`content-encoding ${JSON.stringify(name)}`);
  body.on('error', (error) => (decoder as unknown as Readable).destroy(error));
  return body.pipe(decoder) as unknown as Readable;
}
