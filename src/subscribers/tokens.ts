import { createHash, createSecretKey, hash, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { createHmac } from '#src/mail/hmac.ts';

/**
 * Signed tokens of the links in mails. A token names a reader by public id (never the address), the link epoch it
 * was made in, one purpose, and an expiry. It is 25 bytes and a 128-bit tag, base64url: 55 characters.
 *
 *     form and purpose (1) · public id (16) · epoch (4) · expires, Unix seconds or 0 (4) · tag (16)
 *
 * A digest carries tokens of seven purposes, and an HMAC for each was a sixth of what composing it cost. So eight purposes, a group, share one
 * SHAKE256 (FIPS 202) over a key, the group's number and everything behind the first byte, and each has an eighth of its 128 octets as its
 * tag. With a secret key of one length in front, a sponge is a pseudorandom function (Bertoni, Daemen, Peeters, Van Assche, "On the security
 * of the keyed sponge construction", 2011; KMAC, NIST SP 800-185 §4, rests on the same): the eighths cannot be told from independent random
 * bits, so that a token of one purpose helps nobody to make one of another, and nothing can be appended, which is what HMAC's second hash is for.
 *
 * Forms 0 and 1 were mailed before and are still read. Of form 0 the tag is the first half of an HMAC-SHA-256 over all 25 bytes; of form 1 four
 * purposes share an HMAC-SHA-512 over what eight share now. Each form has a key of its own.
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
/** The form that is made, in the upper half of the first byte; the purpose is in the lower. */
const FORM = 0x20;
const FORM_OF_HMAC_512 = 0x10;
const FORM_OF_HMAC_256 = 0;
const formOf = (first: number) => first & 0xf0;
const codeOf = (first: number) => first & 0x0f;
/** Purposes that share what is hashed at once: as many as it has tags. */
const GROUP = 8;
const groupOf = (code: number) => Math.floor(code / GROUP);
/** The same, of form 1. */
const GROUP_OF_HMAC_512 = 4;
const TAGS = { outputEncoding: 'binary', outputLength: GROUP * TAG } as const;
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
  const key = deriveKey(secret, 'links of form 2').export();
  const hmac512Of = createHmac('sha512', deriveKey(secret, 'links of form 1'));
  const hmac256Of = createHmac('sha256', deriveKey(secret, 'links'));
  const confirmationOf = createHmac('sha256', deriveKey(secret, 'confirmations'));

  // One token is made at a time, so all are made in the same place, behind the key: a Buffer for each would cost as much as its tag.
  const keyed = Buffer.concat([key, Buffer.alloc(BODY + TAG)]);
  const hashed = keyed.subarray(0, key.length + BODY);
  const token = keyed.subarray(key.length);
  const body = token.subarray(0, BODY);
  const begin = ({ publicId, epoch }: TokenSubject, expires: number) => {
    writeUuid(publicId, token, 1);
    token.writeUInt32BE(epoch, 17);
    token.writeUInt32BE(expires, 21);
  };
  /** The tags of a group, one after the other, an octet per character. */
  const groupTags = (group: number): string => {
    token[0] = group;
    // (The types don't know that options say the encoding too.)
    return hash('shake256', hashed, TAGS) as string;
  };
  /** Puts the token that has been begun at `at`: its first byte, and the tag that begins at character `from` of `tags`. */
  const finishInto = (into: Buffer, at: number, first: number, tags: string, from: number): void => {
    if (into !== token) into.set(body, at);
    into[at] = first;
    for (let index = 0; index < TAG; index++) into[at + BODY + index] = tags.charCodeAt(from + index);
  };
  const finish = (first: number, tags: string, from: number): string => {
    finishInto(token, 0, first, tags, from);
    return token.toString('base64url');
  };
  const finishCode = (code: number): string =>
    finish(FORM + code, groupTags(groupOf(code)), (code % GROUP) * TAG);
  /** The token that has the body of `given`, with the tag that it should have; of a form that we know. */
  const genuine = (given: Buffer): string => {
    given.copy(token);
    const first = given[0] as number;
    const code = codeOf(first);
    switch (formOf(first)) {
      case FORM_OF_HMAC_512:
        token[0] = Math.floor(code / GROUP_OF_HMAC_512);
        return finish(first, hmac512Of(body, 'binary'), (code % GROUP_OF_HMAC_512) * TAG);
      case FORM_OF_HMAC_256:
        return finish(first, hmac256Of(body, 'binary'), 0);
      default:
        return finishCode(code);
    }
  };
  // Tokens in a row, each with a zero octet behind it: written in base64url together, they are LENGTH characters each, and one more.
  const row = Buffer.alloc(codeToPurpose.size * ROW);

  return {
    sign(purpose, subject, expires = 0) {
      begin(subject, expires);
      return finishCode(PURPOSES[purpose]);
    },
    signEach<Purpose extends TokenPurpose>(purposes: readonly Purpose[], subject: TokenSubject) {
      begin(subject, 0);
      const groups: string[] = [];
      const signed: Partial<Record<Purpose, string>> = {};
      for (const [index, purpose] of purposes.entries()) {
        const code = PURPOSES[purpose];
        const tags = (groups[groupOf(code)] ??= groupTags(groupOf(code)));
        finishInto(row, index * ROW, FORM + code, tags, (code % GROUP) * TAG);
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
      const found = codeToPurpose.get(codeOf(first));
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
