import { createHash, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { createHmac } from '#src/mail/hmac.ts';

/**
 * Signed tokens of the links in mails. A token names a reader by public id (never the address), the link epoch it
 * was made in, one purpose, and an expiry. It is 25 bytes and a 128-bit tag, base64url: 55 characters.
 *
 *     form and purpose (1) · public id (16) · epoch (4) · expires, Unix seconds or 0 (4) · tag (16)
 *
 * A digest carries tokens of seven purposes, and an HMAC for each was a sixth of what composing it cost. So four purposes, a group,
 * share one HMAC-SHA-512 (RFC 2104) over the group's number and everything behind the first byte, as the blocks of HKDF's expansion
 * are numbered (RFC 5869 §2.3), and each has a quarter of it as its tag. The quarters cannot be told from independent random bits, so
 * that a token of one purpose helps nobody to make one of another.
 *
 * Form 0 was mailed before and is still read: its tag is the first half of an HMAC-SHA-256 over all 25 bytes.
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
  /** A reader's tokens for several purposes, the same as {@link Tokens.sign} gives for each, at less cost. */
  signEach<Purpose extends TokenPurpose>(
    purposes: readonly Purpose[],
    subject: TokenSubject,
  ): Record<Purpose, string>;
  read(purpose: TokenPurpose, token: string, now: Date): TokenResult;
  /** The token of a confirmation (32 bytes, base64url): derived, so that the mail's composer can make it again. */
  confirmation(purpose: ConfirmationPurpose, confirmationId: number): string;
};

/** Column `purpose` of `confirmations`. */
export type ConfirmationPurpose = 'subscribe' | 'change-address';

const BODY = 25;
const TAG = 16;
/** Form 1, in the upper half of the first byte; the purpose is in the lower. */
const FORM = 0x10;
/** Purposes that share an HMAC-SHA-512: as many as it has tags. */
const GROUP = 4;
const groupOf = (code: number) => Math.floor(code / GROUP);
const LENGTH = Math.ceil(((BODY + TAG) * 8) / 6);
/** Octets of a token and what fills it up to whole groups of base64url, of three octets. */
const ROW = Math.ceil((BODY + TAG) / 3) * 3;
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

/** Takes the same time wherever two texts of one length differ. */
function sameText(one: string, other: string): boolean {
  const octets = [Buffer.from(one), Buffer.from(other)] as const;
  return octets[0].length === octets[1].length && timingSafeEqual(...octets);
}

const HYPHEN = 0x2d;
/** Of the character code of a hex digit. */
const valueOf = (digit: number): number => (digit & 15) + (digit > 0x39 ? 9 : 0);

/** Puts the 16 octets of a UUID at `at`. Many are written, and a loop costs a third of taking out the hyphens and reading hex. */
function writeUuid(uuid: string, into: Buffer, at: number): void {
  let end = at;
  for (let index = 0; end < at + 16; index += 2) {
    if (uuid.charCodeAt(index) === HYPHEN) index += 1;
    into[end] = valueOf(uuid.charCodeAt(index)) * 16 + valueOf(uuid.charCodeAt(index + 1));
    end += 1;
  }
}

/** 32 lower-case hex digits as a UUID. */
const uuidOf = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

/**
 * Makes the token functions of a service.
 * @param secret the service's secret; changing it kills every link mailed so far
 */
export function createTokens({ secret }: { secret: string }): Tokens {
  const hmacOf = createHmac('sha512', deriveKey(secret, 'links of form 1'));
  const oldHmacOf = createHmac('sha256', deriveKey(secret, 'links'));
  const confirmationOf = createHmac('sha256', deriveKey(secret, 'confirmations'));

  // One token is made at a time, so all are made in the same place: a Buffer for each would cost as much as its HMAC.
  const token = Buffer.alloc(BODY + TAG);
  const body = token.subarray(0, BODY);
  const begin = ({ publicId, epoch }: TokenSubject, expires: number) => {
    writeUuid(publicId, token, 1);
    token.writeUInt32BE(epoch, 17);
    token.writeUInt32BE(expires, 21);
  };
  /** The tags of a group, one after the other, an octet per character. */
  const groupTags = (group: number): string => {
    token[0] = group;
    return hmacOf(body, 'binary');
  };
  /** Puts the token of a purpose, which has been begun, at `at`. */
  const finishInto = (into: Buffer, at: number, code: number, tags: string): void => {
    if (into !== token) into.set(body, at);
    into[at] = FORM + code;
    const from = (code % GROUP) * TAG;
    for (let index = 0; index < TAG; index++) into[at + BODY + index] = tags.charCodeAt(from + index);
  };
  const finish = (code: number, tags: string): string => {
    finishInto(token, 0, code, tags);
    return token.toString('base64url');
  };
  /** The token that has the body of `given`, with the tag that it should have. */
  const genuine = (given: Buffer): string => {
    given.copy(token);
    const first = given[0] as number;
    if (first >= FORM) return finish(first - FORM, groupTags(groupOf(first - FORM)));
    token.write(oldHmacOf(body, 'binary').slice(0, TAG), BODY, 'latin1');
    return token.toString('base64url');
  };
  // Tokens in a row, each with a zero octet behind it: written in base64url together, they are LENGTH characters each, and one more.
  const row = Buffer.alloc(codeToPurpose.size * ROW);

  return {
    sign(purpose, subject, expires = 0) {
      begin(subject, expires);
      const code = PURPOSES[purpose];
      return finish(code, groupTags(groupOf(code)));
    },
    signEach<Purpose extends TokenPurpose>(purposes: readonly Purpose[], subject: TokenSubject) {
      begin(subject, 0);
      const groups: string[] = [];
      const signed: Partial<Record<Purpose, string>> = {};
      for (const [index, purpose] of purposes.entries()) {
        const code = PURPOSES[purpose];
        const tags = (groups[groupOf(code)] ??= groupTags(groupOf(code)));
        finishInto(row, index * ROW, code, tags);
      }
      const text = row.toString('base64url', 0, purposes.length * ROW);
      for (const [index, purpose] of purposes.entries())
        signed[purpose] = text.slice(index * (LENGTH + 1), index * (LENGTH + 1) + LENGTH);
      return signed as Record<Purpose, string>;
    },
    read(purpose, text, now) {
      if (text.length !== LENGTH) return { type: 'forged' };
      const given = Buffer.from(text, 'base64url');
      // Compared as text, which refuses other spellings of the same bytes (stray bits in the last character).
      if (given.length !== token.length || !sameText(genuine(given), text)) return { type: 'forged' };
      const first = given[0] as number;
      const found = codeToPurpose.get(first < FORM ? first : first - FORM);
      if (!found) return { type: 'forged' };
      if (found !== purpose) return { type: 'other-purpose', purpose: found };
      const expires = given.readUInt32BE(21);
      if (expires !== 0 && expires * 1000 < now.getTime()) return { type: 'expired' };
      return { type: 'ok', publicId: uuidOf(given.toString('hex', 1, 17)), epoch: given.readUInt32BE(17) };
    },
    confirmation(purpose, confirmationId) {
      return confirmationOf(`${purpose}\n${confirmationId}`, 'base64url');
    },
  };
}
