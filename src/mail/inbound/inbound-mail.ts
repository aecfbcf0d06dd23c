import PostalMime, { type Attachment, type Email } from 'postal-mime';

/** A mail that came in, taken apart as far as bounces, complaints and requests need it. */
export type InboundMail = {
  /** First value of a header field, folded lines joined, not decoded; empty when it is absent. */
  header(name: string): string;
  /** Every value of a header field. */
  headers(name: string): readonly string[];
  /** Decoded. */
  readonly subject: string;
  /** What a person would read, the returned message included where it is not a part of its own. */
  readonly text: string;
  /** `message/delivery-status` (RFC 3464); empty when there is none. */
  readonly deliveryStatus: string;
  /** `message/feedback-report` (RFC 5965); empty when there is none. */
  readonly feedbackReport: string;
  /** The returned message, or its headers; empty when it is no part of its own. */
  readonly original: string;
};

/** Largest mail that is read, in octets: a bounce may hold the whole digest, and more than that nobody sends us. */
export const LARGEST_INBOUND = 2_000_000;

/** Parses a mail. What is broken in it is read as far as it goes. */
export async function parseInbound(raw: Buffer): Promise<InboundMail> {
  const mail = await parse(raw);
  const part = (type: RegExp) =>
    mail.attachments
      .filter(({ mimeType }) => type.test(mimeType))
      .map(textOf)
      .join('\n\n');
  const values = (name: string) => mail.headers.filter(({ key }) => key === name).map(({ value }) => value);
  return {
    header: (name) => values(name)[0] ?? '',
    headers: values,
    subject: mail.subject ?? '',
    text: mail.text ?? (mail.html ? withoutTags(mail.html) : bodyOf(raw)),
    deliveryStatus: part(/^message\/(?:global-)?delivery-status$/i),
    feedbackReport: part(/^message\/feedback-report$/i),
    original: part(/^(?:message\/(?:rfc822|global)|(?:text|message)\/(?:rfc822|global)-headers)$/i),
  };
}

async function parse(raw: Buffer): Promise<Email> {
  const options = { forceRfc822Attachments: true, maxNestingDepth: 20 } as const;
  try {
    return await PostalMime.parse(raw, options);
  } catch {
    // Nested or headed beyond reason: the first lines are a plain text.
    return PostalMime.parse(`\r\n${raw.subarray(0, 20_000).toString('latin1')}`, options);
  }
}

function textOf({ content }: Attachment): string {
  return typeof content === 'string' ? content : Buffer.from(content as ArrayBuffer).toString('utf8');
}

/** For a multipart whose boundary never comes. */
const bodyOf = (raw: Buffer) => raw.toString('utf8').replace(/^[\s\S]*?\r?\n\r?\n/, '');

const withoutTags = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
