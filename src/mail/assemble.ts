import { type Cache, createCache } from './cache.ts';
import { flatAscii } from './flat-ascii.ts';
import { asciiAddress, dateValue, headerField, mailbox, phrase, textField } from './header.ts';
import type { OutgoingMessage } from './message.ts';
import { type BounceTag, bounceTag, domainOf, keyedHash, type Sender, verpAddress } from './sender.ts';

/** A body part, already encoded: ASCII with CRLF, no line over 998 octets, none that starts with a dot or with `--=_`. */
export type EncodedParts = {
  /** Quoted-printable, see encode-text.ts; in pieces, joined only once. */
  readonly text: readonly string[];
  /** ASCII with character references, see encode-html.ts; in pieces. */
  readonly html: readonly string[];
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
  /**
   * The RFC 8058 URL; absent where there is nothing to unsubscribe from (a confirmation, a goodbye). What stands behind its last slash is
   * the token, which a request by mail carries in its subject.
   */
  readonly oneClick?: string;
};

/**
 * Puts a message together: every header once, the text part before the HTML part (RFC 2046 §5.1.4: the best comes last).
 * @throws RangeError when an address cannot be written in ASCII, or a URL holds anything but printable ASCII.
 */
export function assembleMessage(head: MessageHead, parts: EncodedParts): OutgoingMessage {
  const constants = constantsOf(head.sender);
  const boundary = constants.boundary(head.campaign, () => boundaryOf(head.sender, head.campaign));
  const tag = head.tag ? bounceTag(head.tag, head.sender.key) : '';
  const to = asciiAddress(head.to);
  const pieces = [
    headers(head, constants, { to, boundary }),
    '\r\n',
    opening(boundary, 'text/plain', 'quoted-printable'),
    ...parts.text,
    opening(boundary, 'text/html', '7bit'),
    ...parts.html,
    `\r\n--${boundary}--\r\n`,
  ];
  return {
    envelope: { from: tag === '' ? constants.bounce : constants.verp(tag), to },
    messageId: head.messageId,
    // All of it is ASCII by now: latin1 is the one-octet-per-character copy.
    raw: Buffer.from(pieces.join(''), 'latin1'),
  };
}

/** What of a message depends on nothing but the sender. */
type Constants = {
  /** Domain of the From address. */
  readonly domain: string;
  /** From and Reply-To, and List-Id. */
  readonly from: string;
  readonly listId: string;
  /** Envelope sender of a message without a tag, and of one with. */
  readonly bounce: string;
  readonly verp: (tag: string) => string;
  /** Address that unsubscribe requests go to. */
  readonly unsubscribe: string;
  readonly boundary: Cache<string>;
  readonly subjects: Cache<string>;
};

const known = new WeakMap<Sender, Constants>();

function constantsOf(sender: Sender): Constants {
  let constants = known.get(sender);
  if (!constants) known.set(sender, (constants = makeConstants(sender)));
  return constants;
}

function makeConstants(sender: Sender): Constants {
  const { name, address, replyTo = address, bounceAddress } = sender;
  const domain = domainOf(address);
  return {
    domain,
    from: headerField('From', mailbox(name, address)) + headerField('Reply-To', asciiAddress(replyTo)),
    // RFC 2919: a phrase and an identifier in angle brackets.
    listId: headerField('List-Id', `${phrase(name)} <digest.${domain}>`.trimStart()),
    bounce: asciiAddress(bounceAddress ?? address),
    verp: (tag) => (bounceAddress ? verpAddress(bounceAddress, tag) : asciiAddress(address)),
    unsubscribe: asciiAddress(bounceAddress ?? replyTo),
    boundary: createCache(100),
    subjects: createCache(5_000),
  };
}

/** `=_` cannot occur in quoted-printable, and no line of our HTML begins with `--`: the boundary is unique whatever a paper says. */
function boundaryOf(sender: Sender, campaign: string): string {
  return `=_${keyedHash(sender.key, 'boundary', campaign, 24)}`;
}

function opening(boundary: string, type: string, encoding: string): string {
  return `\r\n--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
}

type Addressing = { readonly to: string; readonly boundary: string };

function headers(head: MessageHead, constants: Constants, { to, boundary }: Addressing): string {
  const { subject, oneClick } = head;
  const fields = [
    headerField('Date', dateValue(head.date)),
    constants.from,
    headerField('To', to),
    constants.subjects(subject, () => flatAscii(textField('Subject', subject))),
    headerField('Message-ID', head.messageId),
    constants.listId,
    oneClick ? unsubscribeFields(oneClick, constants.unsubscribe) : '',
    headerField('Feedback-ID', `${head.campaign}:${head.stream}:paperboy:${constants.domain}`),
    headerField('Auto-Submitted', 'auto-generated'),
    headerField('Precedence', 'bulk'),
    headerField('Content-Language', head.language),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', `multipart/alternative; boundary="${boundary}"`),
  ];
  return fields.join('');
}

/** RFC 2369 and RFC 8058: a URL that takes a POST, and a mailbox that `paperboy mail inbound` reads. */
function unsubscribeFields(oneClick: string, mailbox: string): string {
  const token = oneClick.slice(oneClick.lastIndexOf('/') + 1);
  return (
    headerField('List-Unsubscribe', `<${oneClick}>, <mailto:${mailbox}?subject=unsubscribe%20${token}>`) +
    headerField('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click')
  );
}
