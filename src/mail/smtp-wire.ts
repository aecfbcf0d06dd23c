import { isAscii } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { type Content, contentOf, rawOf } from './content.ts';
import type { OutgoingMessage, SendOutcome } from './message.ts';

/** What a server said to EHLO, as far as it matters for a transaction. */
export type Extensions = {
  readonly pipelining: boolean;
  readonly chunking: boolean;
  readonly eightBit: boolean;
  readonly utf8: boolean;
  readonly size: boolean;
  /** Largest message it takes, in octets; null when it doesn't say (RFC 1870). */
  readonly maxSize: number | null;
};

/** Reads the extensions out of the text of the reply to EHLO (lines joined by `\n`, with or without codes). */
export function parseExtensions(ehlo: string): Extensions {
  const words = new Map<string, string>();
  for (const line of ehlo.split(/\r?\n/)) {
    const match = /^(?:250[ -])?([A-Za-z0-9-]+)(?: (.*))?$/.exec(line.trim());
    if (match?.[1]) words.set(match[1].toUpperCase(), match[2] ?? '');
  }
  const size = Number(words.get('SIZE') || Number.NaN);
  return {
    pipelining: words.has('PIPELINING'),
    chunking: words.has('CHUNKING'),
    eightBit: words.has('8BITMIME'),
    utf8: words.has('SMTPUTF8'),
    size: words.has('SIZE'),
    maxSize: Number.isSafeInteger(size) && size > 0 ? size : null,
  };
}

/** The commands of one transaction, ready for the wire. */
export type Envelope = { readonly mail: string; readonly rcpt: string };

/** An address that can stand between `<` and `>`: no controls, no white space, no angle brackets. */
const ADDRESS = /^[^\p{Cc}\s<>]+@[^\p{Cc}\s<>@]+$/u;

/**
 * Makes MAIL FROM and RCPT TO with the parameters that the message needs and the server offers (SIZE, BODY, SMTPUTF8),
 * or says why this server can't take the message at all.
 */
export function buildEnvelope(message: OutgoingMessage, extensions: Extensions): Envelope | SendOutcome {
  const from = toWireAddress(message.envelope.from, extensions);
  const to = toWireAddress(message.envelope.to, extensions);
  if (from === null) return refuse(553, '5.1.7 our sender address does not fit this server', 'sender');
  if (to === null) return refuse(553, '5.6.7 the address needs SMTPUTF8, or is none', 'address');
  const { content } = message;
  const { length } = content;
  if (extensions.maxSize !== null && length > extensions.maxSize)
    return refuse(
      552,
      `5.3.4 message of ${length} octets, the server takes ${extensions.maxSize}`,
      'message',
    );
  const eightBit = !content.plain && !isAscii(rawOf(message));
  if (eightBit && !extensions.eightBit) return refuse(554, '5.6.3 message needs 8BITMIME', 'message');
  const parameters =
    (extensions.size ? ` SIZE=${length}` : '') +
    (eightBit ? ' BODY=8BITMIME' : '') +
    (from.utf8 || to.utf8 ? ' SMTPUTF8' : '');
  return { mail: `MAIL FROM:<${from.text}>${parameters}\r\n`, rcpt: `RCPT TO:<${to.text}>\r\n` };
}

/** True for what {@link buildEnvelope} answers when there is nothing to send. */
export const isOutcome = (built: Envelope | SendOutcome): built is SendOutcome => 'type' in built;

function toWireAddress(address: string, extensions: Extensions): { text: string; utf8: boolean } | null {
  if (!ADDRESS.test(address)) return null;
  if (isPlain(address)) return { text: address, utf8: false };
  const at = address.lastIndexOf('@');
  const ascii = domainToASCII(address.slice(at + 1));
  if (ascii === '') return null;
  const text = `${address.slice(0, at)}@${ascii}`;
  if (isPlain(text)) return { text, utf8: false };
  return extensions.utf8 ? { text, utf8: true } : null;
}

const isPlain = (text: string) => Buffer.byteLength(text) === text.length;

function refuse(code: number, text: string, scope: 'address' | 'message' | 'sender'): SendOutcome {
  const reply = `${code} ${text}`;
  return scope === 'sender'
    ? { type: 'sender-rejected', reply, code }
    : { type: 'rejected', reply, code, scope };
}

const DOT = 0x2e;
const LF = 0x0a;
const END = '.\r\n';

/**
 * Dot-stuffing (RFC 5321 section 4.5.2): a dot that begins a line is doubled. Answers the same buffer when no line
 * begins with one, which a composed digest sees to.
 */
export function stuffDots(raw: Buffer): Buffer {
  let at = raw[0] === DOT ? 0 : raw.indexOf('\n.') + 1 || -1;
  if (at === -1) return raw;
  const parts: Buffer[] = [];
  let start = 0;
  while (at !== -1) {
    parts.push(raw.subarray(start, at + 1));
    start = at;
    const next = raw.indexOf('\n.', at);
    at = next === -1 ? -1 : next + 1;
  }
  parts.push(raw.subarray(start));
  return Buffer.concat(parts);
}

/** What ends the DATA phase after `raw`: the final dot on a line of its own. */
export const endOfData = (raw: Buffer): string => (raw[raw.length - 1] === LF ? END : `\r\n${END}`);

/** Room for a usual digest and what goes with it. */
const USUAL_SIZE = 64 * 1024;

/**
 * Memory that nothing is written from now. All connections share it, the last that came back goes out first: where the network takes a
 * message at once it is the same piece for all of them, which stays in the processor's cache.
 */
const spare: Buffer[] = [];
const SPARE_KEPT = 10;

/** What is written at once for one message. Call `release` when its octets have left the process: others will be in their place. */
export type WireOctets = { readonly octets: Buffer; release(): void };

/** Puts a message's content into one place, as DATA or BDAT carries it, with the commands `next` behind it. */
export function wireOctets(message: OutgoingMessage, chunking: boolean, next: string): WireOctets {
  const { content, end } = chunking ? { content: message.content, end: '' } : dataOf(message);
  const command = chunking ? `BDAT ${content.length} LAST\r\n` : '';
  // UTF-8: ASCII but for the addresses of SMTPUTF8 (RFC 6531).
  const rest = Buffer.byteLength(end + next);
  const needed = command.length + content.length + rest;
  const memory = memoryFor(needed);
  memory.write(command, 'latin1');
  content.write(memory, command.length);
  memory.write(end + next, needed - rest);
  return {
    octets: memory.subarray(0, needed),
    release: () => {
      if (spare.length < SPARE_KEPT) spare.push(memory);
    },
  };
}

function memoryFor(size: number): Buffer {
  const memory = spare.pop();
  return memory && memory.length >= size ? memory : Buffer.allocUnsafeSlow(Math.max(USUAL_SIZE, 2 * size));
}

/** Content and end of the DATA phase. What is composed here is plain; the rest is looked through. */
function dataOf(message: OutgoingMessage): { readonly content: Content; readonly end: string } {
  if (message.content.plain) return { content: message.content, end: END };
  const raw = rawOf(message);
  return { content: contentOf(stuffDots(raw)), end: endOfData(raw) };
}
