import { type Cache, createCache } from './cache.ts';
import { type Chunk, chunkOf, type Part } from './chunk.ts';
import { chunkedContent } from './content.ts';
import { asciiAddress, dateValue, headerField, mailbox, phrase, textField } from './header.ts';
import type { ReaderTokens } from './links.ts';
import type { OutgoingMessage } from './message.ts';
import { type BounceTag, bounceTag, domainOf, keyedHash, type Sender, verpAddress } from './sender.ts';

/** The body parts, already encoded: no line starts with a dot or with `--=_`. */
export type EncodedParts = {
  /** Quoted-printable, see encode-text.ts. */
  readonly text: Part;
  /** ASCII with character references, see encode-html.ts. */
  readonly html: Part;
  /** Of the reader; for chunks that are open. */
  readonly tokens?: ReaderTokens;
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
  const frame = constants.frames(`${head.campaign} ${head.stream} ${head.language}`, () =>
    frameOf(head, constants),
  );
  const { tag, sender } = head;
  const to = asciiAddress(head.to);
  const chunks = [frame.text];
  parts.text(chunks);
  chunks.push(frame.html);
  parts.html(chunks);
  chunks.push(frame.end);
  return {
    envelope: {
      from: tag && sender.bounceAddress ? constants.verp(bounceTag(tag, sender.key)) : constants.bounce,
      to,
    },
    messageId: head.messageId,
    content: chunkedContent(headersOf(head, constants, { to, last: frame.headers }), chunks, parts.tokens),
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
  /** The fields of List-Unsubscribe. */
  readonly unsubscribe: (oneClick: string) => string;
  readonly frames: Cache<Frame>;
  readonly subjects: Cache<string>;
  readonly dates: Cache<string>;
};

/** What messages of one edition, kind and language share around their parts. */
type Frame = {
  /** The last headers. */
  readonly headers: string;
  /** What opens the text part and the HTML part, and the end. */
  readonly text: Chunk;
  readonly html: Chunk;
  readonly end: Chunk;
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
    unsubscribe: createUnsubscribeFields(asciiAddress(bounceAddress ?? replyTo)),
    frames: createCache(500),
    subjects: createCache(5_000),
    dates: createCache(10),
  };
}

/** `=_` cannot occur in quoted-printable, and no line of our HTML begins with `--`: the boundary is unique whatever a paper says. */
function boundaryOf(sender: Sender, campaign: string): string {
  return `=_${keyedHash(sender.key, 'boundary', campaign, 24)}`;
}

function frameOf({ sender, campaign, stream, language }: MessageHead, { domain }: Constants): Frame {
  const boundary = boundaryOf(sender, campaign);
  const opening = (type: string, encoding: string) =>
    chunkOf(
      `\r\n--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`,
    );
  const headers = [
    headerField('Feedback-ID', `${campaign}:${stream}:paperboy:${domain}`),
    headerField('Auto-Submitted', 'auto-generated'),
    headerField('Precedence', 'bulk'),
    headerField('Content-Language', language),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', `multipart/alternative; boundary="${boundary}"`),
  ];
  return {
    headers: `${headers.join('')}\r\n`,
    text: opening('text/plain', 'quoted-printable'),
    html: opening('text/html', '7bit'),
    end: chunkOf(`\r\n--${boundary}--\r\n`),
  };
}

type Addressing = { readonly to: string; readonly last: string };

/** The headers and the empty line behind them. */
function headersOf(head: MessageHead, constants: Constants, { to, last }: Addressing): string {
  const { subject, oneClick, date } = head;
  const second = Math.floor(date.getTime() / 1000);
  return [
    constants.dates(String(second), () => headerField('Date', dateValue(date))),
    constants.from,
    headerField('To', to),
    constants.subjects(subject, () => textField('Subject', subject)),
    headerField('Message-ID', head.messageId),
    constants.listId,
    oneClick ? constants.unsubscribe(oneClick) : '',
    last,
  ].join('');
}

/**
 * RFC 2369 and RFC 8058: a URL that takes a POST, and a mailbox that `paperboy mail inbound` reads. Readers' fields differ in their tokens
 * only, and are folded alike: that is done when the URL before the token, or the token's length, is another than the last one's.
 * @throws RangeError as {@link headerField}
 */
function createUnsubscribeFields(mailbox: string): (oneClick: string) => string {
  let last = { url: '', length: -1, around: [''] };
  const foldFor = (url: string, length: number) => {
    // No URL of ours and no address has that in it.
    const token = '^'.repeat(length);
    const fields =
      headerField(
        'List-Unsubscribe',
        `<${url}${token}>, <mailto:${mailbox}?subject=unsubscribe%20${token}>`,
      ) + headerField('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click');
    return { url, length, around: fields.split(token) };
  };
  return (oneClick) => {
    const from = oneClick.lastIndexOf('/') + 1;
    const token = oneClick.slice(from);
    if (!/^[!-~]+$/.test(token)) throw new RangeError('not a token of a URL');
    if (token.length !== last.length || !oneClick.startsWith(last.url) || from !== last.url.length)
      last = foldFor(oneClick.slice(0, from), token.length);
    return last.around.join(token);
  };
}
