import { domainToASCII } from 'node:url';
import { cleanText } from './clean-text.ts';

/** Where lines are folded when they can be (RFC 5322 §2.1.1). */
const FOLD_AT = 76;
/** Longest encoded-word, its delimiters included (RFC 2047 §2). */
const LONGEST_ENCODED_WORD = 75;
const ENCODED_WORD_OVERHEAD = '=?UTF-8?B??='.length;
/** What fits into an encoded-word of `length` characters: octets of UTF-8. */
const octetsIn = (length: number) => Math.floor((length - ENCODED_WORD_OVERHEAD) / 4) * 3;

/**
 * One header field, folded, with CRLF at its end. `value` is ASCII made by this module or by trusted code: anything that is not printable
 * ASCII is a bug.
 * @throws RangeError for a line break or a character beyond ASCII in `name` or `value`.
 */
export function headerField(name: string, value: string): string {
  if (!/^[!-9;-~]+$/.test(name) || !/^[ -~]*$/.test(value))
    throw new RangeError(`not a header field: ${name}`);
  const short = name.length + value.length + 2 <= FOLD_AT;
  return short ? `${name}: ${value}\r\n` : `${foldWords(`${name}:`, value.split(' '))}\r\n`;
}

/** A header field of free text in any language (RFC 2047), folded, with CRLF at its end. */
export function textField(name: string, text: string): string {
  return headerField(name, encodeText(text, name.length + 2));
}

function foldWords(start: string, words: readonly string[]): string {
  let out = start;
  let length = start.length;
  for (const word of words) {
    // A line of white space alone ends the header for some readers: never fold before an empty word.
    if (length + 1 + word.length > FOLD_AT && length > 1 && word !== '' && !out.endsWith(' ')) {
      out += '\r\n';
      length = 0;
    }
    out += ` ${word}`;
    length += 1 + word.length;
  }
  return out;
}

/**
 * Free text as a header value: as it is when plain ASCII with short words that look like no encoded-word, else as encoded-words of whole
 * code points (RFC 2047 §5), separated by spaces, which readers drop.
 * @param taken characters that stand before it on its line: the first encoded-word is to fit behind them, since a field that begins with a
 *   folded line gets a space in front from some readers
 */
export function encodeText(text: string, taken = 0): string {
  const clean = cleanText(text);
  const plain =
    /^[ -~]*$/.test(clean) && !clean.includes('=?') && clean.split(' ').every((word) => word.length < 60);
  return plain ? clean : encodedWords(clean, taken);
}

function encodedWords(text: string, taken: number): string {
  const words: string[] = [];
  let chunk = '';
  let octets = 0;
  for (const char of text) {
    const size = Buffer.byteLength(char);
    const room = words.length === 0 ? Math.min(LONGEST_ENCODED_WORD, FOLD_AT - taken) : LONGEST_ENCODED_WORD;
    if (octets + size > octetsIn(room)) {
      words.push(chunk);
      chunk = '';
      octets = 0;
    }
    chunk += char;
    octets += size;
  }
  words.push(chunk);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}

/** A display name as a phrase (RFC 5322 §3.2.5): atoms, a quoted string, or encoded-words; empty for an empty name. */
export function phrase(name: string): string {
  const clean = cleanText(name);
  const encoded = encodeText(clean);
  if (encoded !== clean || /^[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*$/.test(clean)) return encoded;
  return `"${clean.replace(/["\\]/g, '\\$&')}"`;
}

/** A mailbox (RFC 5322 §3.4), `"Paperboy, daily" <digest@example.org>`. @throws RangeError as {@link asciiAddress}. */
export function mailbox(name: string, address: string): string {
  return `${phrase(name)} <${asciiAddress(address)}>`.trimStart();
}

/**
 * An address as SMTP and headers need it: the domain in ASCII (IDNA), the local part a dot-atom (RFC 5321 §4.1.2).
 * @throws RangeError for anything else; quoted local parts and SMTPUTF8 are not supported.
 */
export function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const given = address.slice(at + 1);
  const domain = /^[a-z0-9.-]+$/.test(given) ? given : domainToASCII(given);
  const wellFormed =
    at > 0 &&
    address.length <= 254 &&
    local.length <= 64 &&
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(local) &&
    /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(domain);
  if (!wellFormed) throw new RangeError('not a mail address that can be written in ASCII');
  return `${local}@${domain}`;
}

/** What {@link asciiAddress} makes of an address; null for one that it does not take. */
export function mailableAddress(address: string): string | null {
  try {
    return asciiAddress(address);
  } catch {
    return null;
  }
}

/** True for an address that {@link asciiAddress} takes. */
export const isMailable = (address: string): boolean => mailableAddress(address) !== null;

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** The Date field's value (RFC 5322 §3.3), in UTC. */
export function dateValue(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  return `${DAYS[at.getUTCDay()]}, ${two(at.getUTCDate())} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()} ${time} +0000`;
}
