import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { promisify } from 'node:util';
import type { Content } from './content.ts';
import type { OutgoingMessage } from './message.ts';

/** Signs a finished message; the result is the message with its signatures in front. */
export type Sign = (message: OutgoingMessage) => Promise<OutgoingMessage>;

/** A DKIM key (RFC 6376, RFC 8463). */
export type DkimKey = {
  /** `d=`: the domain of From, or one above it. */
  readonly domain: string;
  /** `s=`: the public key is in the DNS under `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string;
  /** PEM (PKCS #8 or PKCS #1) of an RSA key of at least 1,024 bits (2,048 is usual) or of an Ed25519 key. */
  readonly privateKey: string;
};

type SigningKey = Omit<DkimKey, 'privateKey'> & {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  readonly key: KeyObject;
};

const signAsync = promisify(sign);

/**
 * Signs over every header and the whole body, with the first key of each algorithm ({@link signingKeys}). RFC 8058 §4 asks for List-Unsubscribe
 * and List-Unsubscribe-Post to be covered. Headers whose repetition would deceive are signed as absent a second time (§8.15).
 * @throws TypeError for a key that can't be read, is neither RSA nor Ed25519, or too short: at start, not per message.
 */
export function createDkimSigner(dependencies: {
  readonly keys: readonly DkimKey[];
  readonly now: () => Date;
}): Sign {
  // All are read, so that a broken one behind the others is found at the start too.
  const keys = firstOfEach(dependencies.keys.map(readKey));
  return async (message) => {
    const at = dependencies.now();
    const octets = written(message.content);
    const end = octets.indexOf('\r\n\r\n');
    const fields = octets.toString('latin1', 0, end).split(/\r\n(?![ \t])/);
    // Simple body canonicalisation (§3.4.3): our bodies end with exactly one CRLF, so the octets are the canonical form.
    const bodyHash = hash('sha256', octets.subarray(end + 4), 'base64');
    const signatures = await Promise.all(keys.map((key) => signatureField(key, fields, bodyHash, at)));
    return { ...message, content: inFront(signatures.join(''), message.content) };
  };
}

/** Header fields in front of what is there. */
function inFront(fields: string, { length, plain, write }: Content): Content {
  return {
    length: fields.length + length,
    plain,
    write: (into, at) => write(into, at + into.write(fields, at, 'latin1')),
  };
}

let scratch = Buffer.alloc(0);

/** The octets of a message, in memory that the next one takes: good until whoever asked waits for something. */
function written(content: Content): Buffer {
  if (content.length > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * content.length);
  content.write(scratch, 0);
  return scratch.subarray(0, content.length);
}

/**
 * The keys of a list that sign: the first of each algorithm. To rotate, the new key goes in front once its record is in the DNS; the old one's
 * record stays until every mail it signed was read.
 * @throws TypeError as {@link createDkimSigner}
 */
export function signingKeys(keys: readonly DkimKey[]): readonly DkimKey[] {
  return firstOfEach(keys.map((key) => ({ ...readKey(key), given: key }))).map(({ given }) => given);
}

/** RSA first: what cannot read Ed25519 then finds its own at once. */
function firstOfEach<Key extends SigningKey>(keys: readonly Key[]): readonly Key[] {
  const first = (algorithm: SigningKey['algorithm']) =>
    keys.filter((key) => key.algorithm === algorithm).slice(0, 1);
  return [...first('rsa-sha256'), ...first('ed25519-sha256')];
}

/** The DNS record of a key's public half: name and TXT value. */
export function dkimRecord(key: DkimKey): { readonly name: string; readonly value: string } {
  const { algorithm, key: privateKey, domain, selector } = readKey(key);
  const publicKey = createPublicKey(privateKey);
  const rsa = algorithm === 'rsa-sha256';
  // RFC 8463 §4.2: the bare 32 octets, not the SubjectPublicKeyInfo.
  const octets = publicKey.export({ type: 'spki', format: 'der' }).subarray(rsa ? 0 : -32);
  return {
    name: `${selector}._domainkey.${domain}`,
    value: `v=DKIM1; k=${rsa ? 'rsa' : 'ed25519'}; p=${octets.toString('base64')}`,
  };
}

function readKey({ privateKey, ...settings }: DkimKey): SigningKey {
  const domain = domainToASCII(settings.domain);
  const where = `DKIM key ${settings.selector}._domainkey.${settings.domain}`;
  if (domain === '' || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(settings.selector))
    throw new TypeError(`${where}: domain and selector must be DNS names`);
  const key = parsePem(privateKey, where);
  const type = key.asymmetricKeyType;
  if (type === 'ed25519') return { ...settings, domain, key, algorithm: 'ed25519-sha256' };
  if (type !== 'rsa') throw new TypeError(`${where}: is ${type}, must be RSA or Ed25519`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  // RFC 8301 §3.2.
  if (bits < 1024) throw new TypeError(`${where}: has ${bits} bits, must have at least 1024 (2048 is usual)`);
  return { ...settings, domain, key, algorithm: 'rsa-sha256' };
}

function parsePem(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: it may quote the key.
    throw new TypeError(`${where}: is no private key in PEM`);
  }
}

/** A second one of these would be shown, or acted on, by some reader. */
const OVERSIGNED = [
  'from',
  'to',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'mime-version',
  'content-type',
];

async function signatureField(
  { algorithm, domain, selector, key }: SigningKey,
  fields: readonly string[],
  bodyHash: string,
  at: Date,
): Promise<string> {
  const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
  const tags = [
    `v=1; a=${algorithm}; c=relaxed/simple; d=${domain}; s=${selector};`,
    ` t=${Math.floor(at.getTime() / 1000)};`,
    ...foldNames([...names, ...OVERSIGNED]),
    ` bh=${bodyHash};`,
    ' b=',
  ];
  const unsigned = `DKIM-Signature: ${tags.join('\r\n')}`;
  const data = Buffer.from(
    [...fields.map((field) => `${relaxed(field)}\r\n`), relaxed(unsigned)].join(''),
    'latin1',
  );
  const signature =
    algorithm === 'rsa-sha256'
      ? await signAsync('sha256', data, key)
      : // RFC 8463 §3: Ed25519 signs the SHA-256 of the data.
        await signAsync(null, hash('sha256', data, 'buffer'), key);
  return `${unsigned}${signature.toString('base64').replace(/.{72}(?=.)/g, '$&\r\n ')}\r\n`;
}

function foldNames(names: readonly string[]): string[] {
  return (
    ` h=${names.join(':')};`
      .match(/.{1,70}(?::|;$)/g)
      ?.map((line) => (line.startsWith(' ') ? line : ` ${line}`)) ?? []
  );
}

/** Relaxed header canonicalisation (RFC 6376 §3.4.2), without the final CRLF. */
function relaxed(field: string): string {
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${field.slice(0, colon).toLowerCase().trimEnd()}:${value}`;
}
