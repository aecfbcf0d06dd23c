import { expect } from 'vitest';
import type { OutgoingMessage } from '#src/mail/message.ts';

/** Headers that every mail carries exactly once. */
const ALWAYS = [
  'date',
  'from',
  'to',
  'reply-to',
  'subject',
  'message-id',
  'list-id',
  'feedback-id',
  'auto-submitted',
  'precedence',
  'content-language',
  'mime-version',
  'content-type',
];
const SOMETIMES = ['list-unsubscribe', 'list-unsubscribe-post', 'dkim-signature'];

/** Checks the octets of a message against the rules every mail of Paperboy keeps, without any MIME parser. */
export function expectSoundMessage(message: OutgoingMessage): void {
  const raw = message.raw.toString('latin1');
  expect(/^[\r\n\x20-\x7e]*$/.test(raw), 'printable ASCII and CRLF only').toBe(true);
  expect(/\r(?!\n)|(?<!\r)\n/.test(raw), 'no bare CR or LF').toBe(false);
  expect(Math.max(...raw.split('\r\n').map((line) => line.length)), 'longest line').toBeLessThanOrEqual(998);
  expect(/(?:^|\r\n)(?:\.|From )/.test(raw), 'no line that SMTP or mbox would change').toBe(false);
  const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
  const names = head
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
  expect(
    names
      .filter((name) => name !== 'dkim-signature')
      .filter((name, index, all) => all.indexOf(name) !== index),
    'repeated',
  ).toEqual([]);
  expect(
    ALWAYS.filter((name) => !names.includes(name)),
    'missing',
  ).toEqual([]);
  expect(
    names.filter((name) => !ALWAYS.includes(name) && !SOMETIMES.includes(name)),
    'unexpected',
  ).toEqual([]);
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? '';
  expect(raw.split(`--${boundary}`).length, 'two parts and the end').toBe(4);
  expect(raw.indexOf('text/plain'), 'text first').toBeLessThan(raw.indexOf('text/html'));
  const [, text = ''] = raw.split(`--${boundary}\r\n`);
  const quoted = text.slice(text.indexOf('\r\n\r\n'));
  expect(
    Math.max(...quoted.split('\r\n').map((line) => line.length)),
    'longest quoted-printable line',
  ).toBeLessThanOrEqual(76);
  expect(message.envelope.to).toMatch(/^[^\s<>,]+@[^\s<>,]+$/);
  expect(message.envelope.from).toMatch(/^[^\s<>,]+@[^\s<>,]+$/);
}

/** The message, where one was composed. @throws Error naming the reason where none was */
export function composed(result: OutgoingMessage | { readonly skip: string } | undefined): OutgoingMessage {
  if (!result || 'skip' in result) throw new Error(`not composed: ${result?.skip}`);
  return result;
}
