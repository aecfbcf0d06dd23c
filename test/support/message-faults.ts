import { contentOf, rawOf } from '#src/mail/content.ts';
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
const LONGEST_LINE = 998;
const LONGEST_QUOTED_LINE = 76;

/** What in the octets of a message breaks the rules every mail of Paperboy keeps; looked at without any MIME parser. Empty when all is well. */
export function messageFaults({
  content,
  envelope,
}: Pick<OutgoingMessage, 'content' | 'envelope'>): readonly string[] {
  const raw = rawOf({ content });
  const text = raw.toString('latin1');
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  return [
    ...(content.plain && contentOf(raw).plain ? [] : ['content that is not plain, or that says so falsely']),
    ...octetFaults(text),
    ...headerFaults(head),
    ...partFaults(text, head),
    ...[envelope.to, envelope.from].filter((address) => !/^[^\s<>,]+@[^\s<>,]+$/.test(address)),
  ];
}

const longest = (text: string) => Math.max(...text.split('\r\n').map((line) => line.length));

function octetFaults(text: string): string[] {
  const faults: [boolean, string][] = [
    [!/^[\r\n\x20-\x7e]*$/.test(text), 'something else than printable ASCII and CRLF'],
    [/\r(?!\n)|(?<!\r)\n/.test(text), 'a bare CR or LF'],
    [longest(text) > LONGEST_LINE, `a line of ${longest(text)} octets`],
    [/(?:^|\r\n)(?:\.|From )/.test(text), 'a line that SMTP or mbox would change'],
  ];
  return faults.filter(([broken]) => broken).map(([, fault]) => fault);
}

function headerFaults(head: string): string[] {
  const names = head
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
  const repeated = names.filter((name, index) => name !== 'dkim-signature' && names.indexOf(name) !== index);
  const missing = ALWAYS.filter((name) => !names.includes(name));
  const unexpected = names.filter((name) => !ALWAYS.includes(name) && !SOMETIMES.includes(name));
  const feedback = /^Feedback-ID: ?(.*)$/im.exec(head)?.[1] ?? '';
  return [
    ...repeated.map((name) => `repeated: ${name}`),
    ...missing.map((name) => `missing: ${name}`),
    ...unexpected.map((name) => `unexpected: ${name}`),
    ...(feedback.split(':').length > 4 ? ['Feedback-ID of more than four fields'] : []),
    ...(names.includes('list-unsubscribe') !== names.includes('list-unsubscribe-post')
      ? ['List-Unsubscribe without its -Post, or the other way round']
      : []),
  ];
}

function partFaults(text: string, head: string): string[] {
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? '';
  const parts = text.split(`--${boundary}`);
  const [, plain = ''] = text.split(`--${boundary}\r\n`);
  const quoted = plain.slice(plain.indexOf('\r\n\r\n'));
  const faults: [boolean, string][] = [
    [parts.length !== 4, `${parts.length - 2} parts`],
    [text.indexOf('text/plain') > text.indexOf('text/html'), 'the text part is not the first'],
    [longest(quoted) > LONGEST_QUOTED_LINE, `a quoted-printable line of ${longest(quoted)}`],
  ];
  return faults.filter(([broken]) => broken).map(([, fault]) => fault);
}
