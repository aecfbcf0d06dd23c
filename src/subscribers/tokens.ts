import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';

/**
 * Signed tokens of the links in mails. A token names a reader by public id (never the address), the link epoch it
 * was made in, one purpose, and an expiry. It is 25 bytes and a 128-bit tag (HMAC-SHA-256, RFC 2104, truncated as
 * its section 5 allows), base64url: 55 characters.
 *
 *     purpose (1) · public id (16) · epoch (4) · expires, Unix seconds or 0 (4) · tag (16)
 */

/** What a token is good for; the number is its code on the wire: never reuse one. */
const PURPOSES = {
  preferences: 1,
  unsubscribe: 2,
  'one-click': 3,
  pause: 4,
  digest: 5,
  feedback: 6,
  topic: 7,
  undo: 8,
  feed: 9,
} as const;

/** See {@link PURPOSES}. `undo` tokens expire, the others live until the epoch is raised. */
export type TokenPurpose = keyof typeof PURPOSES;

/** Whom a token speaks of. The store still has to compare the epoch with the reader's current one. */
export type TokenSubject = { readonly publicId: string; readonly epoch: number };

/** What became of a token; everything but `ok` looks the same to the visitor and differs in the log only. */
export type TokenResult =
  | ({ readonly type: 'ok' } & TokenSubject)
  | { readonly type: 'forged' }
  | { readonly type: 'other-purpose'; readonly purpose: TokenPurpose }
  | { readonly type: 'expired' };

/** Makes and reads tokens under one secret. */
export type Tokens = {
  /** @param expires Unix seconds after which it is no longer good; 0 = never */
  sign(purpose: TokenPurpose, subject: TokenSubject, expires?: number): string;
  read(purpose: TokenPurpose, token: string, now: Date): TokenResult;
  /** The token of a confirmation (32 bytes, base64url): derived, so that the mail's composer can make it again. */
  confirmation(purpose: ConfirmationPurpose, confirmationId: number): string;
};

/** Column `purpose` of `confirmations`. */
export type ConfirmationPurpose = 'subscribe' | 'change-address';

const BODY = 25;
const TAG = 16;
const LENGTH = Math.ceil(((BODY + TAG) * 8) / 6);
const codeToPurpose = new Map<number, TokenPurpose>(
  Object.entries(PURPOSES).map(([purpose, code]) => [code, purpose as TokenPurpose]),
);

/** A key for one use of the service's secret (HKDF-SHA-256, RFC 5869), so that no two uses share one. */
export function deriveKey(secret: string, use: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'paperboy', use, 32)));
}

/** SHA-256 of a token: the only form in which a confirmation's token is stored. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function encodeBody(purpose: TokenPurpose, subject: TokenSubject, expires: number): Buffer {
  const body = Buffer.alloc(BODY + TAG);
  body[0] = PURPOSES[purpose];
  body.write(subject.publicId.replaceAll('-', ''), 1, 'hex');
  body.writeUInt32BE(subject.epoch, 17);
  body.writeUInt32BE(expires, 21);
  return body;
}

/** 32 lower-case hex digits as a UUID. */
const uuidOf = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

/**
 * Makes the token functions of a service. `sign` costs about 3 µs.
 * @param secret the service's secret; changing it kills every link mailed so far
 */
export function createTokens({ secret }: { secret: string }): Tokens {
  const linkKey = deriveKey(secret, 'links');
  const confirmationKey = deriveKey(secret, 'confirmations');
  const tagOf = (body: Buffer) => createHmac('sha256', linkKey).update(body.subarray(0, BODY)).digest();

  return {
    sign(purpose, subject, expires = 0) {
      const token = encodeBody(purpose, subject, expires);
      tagOf(token).copy(token, BODY, 0, TAG);
      return token.toString('base64url');
    },
    read(purpose, text, now) {
      const token = text.length === LENGTH ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
      // The second test refuses other spellings of the same bytes (stray bits in the last character).
      if (token.length !== BODY + TAG || token.toString('base64url') !== text) return { type: 'forged' };
      if (!timingSafeEqual(tagOf(token).subarray(0, TAG), token.subarray(BODY))) return { type: 'forged' };
      const found = codeToPurpose.get(token[0] as number);
      if (!found) return { type: 'forged' };
      if (found !== purpose) return { type: 'other-purpose', purpose: found };
      const expires = token.readUInt32BE(21);
      if (expires !== 0 && expires * 1000 < now.getTime()) return { type: 'expired' };
      return { type: 'ok', publicId: uuidOf(token.toString('hex', 1, 17)), epoch: token.readUInt32BE(17) };
    },
    confirmation(purpose, confirmationId) {
      return createHmac('sha256', confirmationKey)
        .update(`${purpose}\n${confirmationId}`)
        .digest('base64url');
    },
  };
}
