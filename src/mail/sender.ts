import { type KeyObject, timingSafeEqual } from 'node:crypto';
import { createCache } from './cache.ts';
import { asciiAddress } from './header.ts';
import { createHmac, type Hmac } from './hmac.ts';
import { format } from './phrases.ts';

/** A secret for keyed hashes: at least 32 octets. */
export type MailKey = KeyObject | Buffer | string;

/** Who the mails come from: the operator's settings. */
export type Sender = {
  /** Display name of From, "Paperboy". */
  readonly name: string;
  /** Address of From; its domain is the one of Message-ID, List-Id and DKIM. */
  readonly address: string;
  readonly replyTo?: string;
  /**
   * Where bounces and requests to unsubscribe go, `bounces@example.org`: envelope senders become `bounces+TAG@example.org` (VERP). Without it
   * bounces go to the From address and requests to `replyTo`.
   */
  readonly bounceAddress?: string;
  /** Who runs this service and where, as the foot of every mail says it. */
  readonly operator?: string;
  readonly postalAddress?: string;
  /** The service's page. */
  readonly homeUrl: string;
  /** Secret of the hashes in Message-ID, VERP and boundaries; the same in every process. */
  readonly key: MailKey;
};

/** Who runs the service and where, as `phrase` ("Sent by {operator}.") puts it; empty when neither is set. */
export function operatorLine({ operator, postalAddress }: Sender, phrase: string): string {
  const line = [operator, postalAddress].filter(Boolean).join(', ');
  return line === '' ? '' : format(phrase, { operator: line });
}

/** Keyed hash (HMAC-SHA-256) of `text` for one purpose, the first `length` hexadecimal digits. Tells nothing about `text` without the key. */
export function keyedHash(key: MailKey, purpose: string, text: string, length: number): string {
  let hmac = hmacs.get(key);
  if (!hmac) hmacs.set(key, (hmac = createHmac('sha256', key)));
  return hmac(`${purpose}\n${text}`, 'hex').slice(0, length);
}

const hmacs = new Map<MailKey, Hmac>();

/** Domain of an address, in ASCII. */
export function domainOf(address: string): string {
  const ascii = asciiAddress(address);
  return ascii.slice(ascii.lastIndexOf('@') + 1);
}

/** What a VERP address names: a digest or a notice, by its row. */
export type BounceTag = { readonly kind: 'digest' | 'notice'; readonly id: number };

const TAG_HASH = 10;

/**
 * Variable envelope return path: `bounces+d123-0a1b2c3d4e@example.org`, with a tag of {@link bounceTag}. At most 64 octets of
 * local part (RFC 5321 §4.5.3.1.1) for bounce mailboxes of up to 30.
 */
export function verpAddress(bounceAddress: string, tag: string): string {
  const { local, domain } = ownAddress(bounceAddress);
  return `${local}+${tag}@${domain}`;
}

const ownAddresses = createCache<{ readonly local: string; readonly domain: string }>(100);

/** One of the operator's addresses, in ASCII; they stand in every message, and are checked once. */
function ownAddress(address: string) {
  return ownAddresses(address, () => {
    const ascii = asciiAddress(address);
    const at = ascii.lastIndexOf('@');
    return { local: ascii.slice(0, at), domain: ascii.slice(at + 1) };
  });
}

/**
 * What names a row to strangers: `d123-0a1b2c3d4e`, in the envelope sender.
 * The keyed hash keeps others from making one up.
 */
export function bounceTag(tag: BounceTag, key: MailKey): string {
  const name = `${tag.kind === 'digest' ? 'd' : 'n'}${tag.id}`;
  return `${name}-${keyedHash(key, 'verp', name, TAG_HASH)}`;
}

/** Reads a tag out of an address; null when there is none or its hash is not ours. */
export function parseBounceTag(text: string, key: MailKey): BounceTag | null {
  const match = /(?:^|\+)([dn])(\d{1,15})-([0-9a-f]{10})(?:@|$)/i.exec(text.trim());
  if (!match) return null;
  const name = `${match[1]?.toLowerCase()}${match[2]}`;
  const expected = Buffer.from(keyedHash(key, 'verp', name, TAG_HASH));
  if (!timingSafeEqual(expected, Buffer.from((match[3] ?? '').toLowerCase()))) return null;
  return { kind: name.startsWith('d') ? 'digest' : 'notice', id: Number(match[2]) };
}

/** Message-ID with its brackets: the same for the same digest, whoever composes it and however often. */
export function messageId(sender: Sender, scope: string, reader: string): string {
  return `<${scope}.${keyedHash(sender.key, 'message-id', `${scope}\n${reader}`, 24)}@${ownAddress(sender.address).domain}>`;
}
