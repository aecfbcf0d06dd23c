import { type BinaryToTextEncoding, hash, KeyObject } from 'node:crypto';

/** HMAC under one key, as text: `binary` has a character per octet. */
export type Hmac = (message: string | Buffer, encoding: BinaryToTextEncoding | 'binary') => string;

/** Octets of a block and of a digest (FIPS 180-4 §1). */
const SIZES = { sha256: { block: 64, digest: 32 }, sha512: { block: 128, digest: 64 } } as const;

/**
 * HMAC (RFC 2104 §2), made of two hashes, H(K ⊕ opad, H(K ⊕ ipad, message)), in memory that is kept: a digest needs five, and Node's own,
 * with an object for each that the collector has to bury, cost a tenth of what delivering it did.
 */
export function createHmac(algorithm: keyof typeof SIZES, key: KeyObject | Buffer | string): Hmac {
  const { block, digest } = SIZES[algorithm];
  const given = key instanceof KeyObject ? key.export() : Buffer.from(key);
  // RFC 2104 §2: a key longer than a block is hashed first.
  const secret = given.length > block ? hash(algorithm, given, 'buffer') : given;
  const padded = (octet: number) =>
    Buffer.from(Array.from({ length: block }, (_, index) => (secret[index] ?? 0) ^ octet));
  const outer = Buffer.concat([padded(0x5c), Buffer.alloc(digest)]);
  let inner = Buffer.concat([padded(0x36), Buffer.alloc(512)]);
  return (message, encoding) => {
    const end = block + Buffer.byteLength(message);
    if (end > inner.length) inner = Buffer.concat([inner, Buffer.alloc(end)]);
    if (typeof message === 'string') inner.write(message, block);
    else message.copy(inner, block);
    outer.write(hash(algorithm, inner.subarray(0, end), 'binary'), block, 'latin1');
    return hash(algorithm, outer, encoding);
  };
}
