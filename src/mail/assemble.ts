import { asciiAddress, dateValue, headerField, mailbox, phrase, textField } from './header.ts';
import type { OutgoingMessage } from './message.ts';
import { type BounceTag, bounceTag, domainOf, keyedHash, type Sender, verpAddress } from './sender.ts';

/** A body part, already encoded: ASCII with CRLF, no line over 998 octets, none that starts with a dot or with `--=_`. */
export type EncodedParts = {
  /** Quoted-printable, see encode-text.ts. */
  readonly text: string;
  /** ASCII with character references, see encode-html.ts. */
  readonly html: string;
};

/** What one message needs besides its parts. */
export type MessageHead = {
  readonly sender: Sender;
  /** The one recipient. */
  readonly to: string;
  readonly subject: string;
  /** BCP 47. */
  readonly language: string;
  readonly date: Date;
  /** With its brackets. */
  readonly messageId: string;
  /** Row that bounces are to be told of; absent: the envelope sender is the bounce address itself. */
  readonly tag?: BounceTag;
  /** Kind of mail for Feedback-ID: `daily`, `confirm` …; a lower-case word. */
  readonly stream: string;
  /** Second field of Feedback-ID, such as the edition's date; nothing per person. */
  readonly campaign: string;
  /** The RFC 8058 URL; absent where there is nothing to unsubscribe from (a confirmation, a goodbye). */
  readonly oneClick?: string;
};

/**
 * Puts a message together: every header once, the text part before the HTML part (RFC 2046 §5.1.4: the best comes last).
 * @throws RangeError when an address cannot be written in ASCII, or a URL holds anything but printable ASCII.
 */
export function assembleMessage(head: MessageHead, parts: EncodedParts): OutgoingMessage {
  const boundary = boundaryOf(head.sender, head.campaign);
  const raw = [
    headers(head, boundary),
    '\r\n',
    opening(boundary, 'text/plain', 'quoted-printable'),
    parts.text,
    opening(boundary, 'text/html', '7bit'),
    parts.html,
    `\r\n--${boundary}--\r\n`,
  ];
  return {
    envelope: { from: envelopeSender(head), to: asciiAddress(head.to) },
    messageId: head.messageId,
    // All of it is ASCII by now: latin1 is the one-octet-per-character copy.
    raw: Buffer.from(raw.join(''), 'latin1'),
  };
}

/** `=_` cannot occur in quoted-printable, and no line of our HTML begins with `--`: the boundary is unique whatever a paper says. */
function boundaryOf(sender: Sender, campaign: string): string {
  return `=_${keyedHash(sender.key, 'boundary', campaign, 24)}`;
}

function opening(boundary: string, type: string, encoding: string): string {
  return `\r\n--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
}

function envelopeSender(head: MessageHead): string {
  const { sender, tag } = head;
  if (!sender.bounceAddress) return asciiAddress(sender.address);
  return tag ? verpAddress(sender.bounceAddress, tag, sender.key) : asciiAddress(sender.bounceAddress);
}

function headers(head: MessageHead, boundary: string): string {
  const { sender } = head;
  const domain = domainOf(sender.address);
  const fields = [
    headerField('Date', dateValue(head.date)),
    headerField('From', mailbox(sender.name, sender.address)),
    headerField('To', asciiAddress(head.to)),
    headerField('Reply-To', asciiAddress(sender.replyTo ?? sender.address)),
    textField('Subject', head.subject),
    headerField('Message-ID', head.messageId),
    // RFC 2919: a phrase and an identifier in angle brackets.
    headerField('List-Id', `${phrase(sender.name)} <digest.${domain}>`.trimStart()),
    ...unsubscribeFields(head),
    headerField('Feedback-ID', `${head.campaign}:${head.stream}:paperboy:${domain}`),
    headerField('Auto-Submitted', 'auto-generated'),
    headerField('Precedence', 'bulk'),
    headerField('Content-Language', head.language),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', `multipart/alternative; boundary="${boundary}"`),
  ];
  return fields.join('');
}

function unsubscribeFields(head: MessageHead): string[] {
  if (!head.oneClick) return [];
  const { sender, tag } = head;
  const mailto = asciiAddress(
    sender.unsubscribeAddress ?? sender.bounceAddress ?? sender.replyTo ?? sender.address,
  );
  const subject = tag ? `unsubscribe%20${bounceTag(tag, sender.key)}` : 'unsubscribe';
  return [
    headerField('List-Unsubscribe', `<${head.oneClick}>, <mailto:${mailto}?subject=${subject}>`),
    headerField('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'),
  ];
}
