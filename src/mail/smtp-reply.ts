/** A complete reply of an SMTP server (RFC 5321 section 4.2). */
export type SmtpReply = {
  /** 200–599. */
  readonly code: number;
  /** The lines without their codes, joined by `\n`; an enhanced status code (RFC 2034) stays at the front. */
  readonly text: string;
};

/**
 * Longest line and longest reply that are read, in octets; RFC 5321 asks for 512 and says nothing of the other. Of a reply no more than the
 * first octets are kept: what matters of ten thousand lines is their code.
 */
const MAX_LINE = 8_192;
const MAX_REPLY = 16 << 20;
const KEPT = 8_192;

/** What the parser made of the octets so far. */
export type ReplyParser = {
  /**
   * Takes octets as they come off the socket.
   * @returns the replies completed by them, in order, and `fault` when the server stopped speaking SMTP: nothing after
   *   that point can be trusted, the connection must be closed
   */
  push(chunk: Buffer): { readonly replies: readonly SmtpReply[]; readonly fault?: string };
};

/** Reads replies of one connection, whatever the pieces they arrive in. Bare LF ends a line as CRLF does. */
export function createReplyParser(): ReplyParser {
  let rest = '';
  /** Of a reply of several lines whose end has not come yet. */
  let open: SmtpReply | null = null;
  let size = 0;

  const readLine = (line: string): SmtpReply | string | null => {
    const code = codeOf(line);
    if (code === null || line.length > MAX_LINE)
      return `not an SMTP reply: ${JSON.stringify(line.slice(0, 80))}`;
    if (open && open.code !== code) return `a reply that changes its code: ${open.code} and ${code}`;
    const text = line.slice(4);
    const reply: SmtpReply = { code, text: open ? joined(open.text, text) : text };
    size += line.length;
    if (size > MAX_REPLY) return 'a reply without end';
    if (line[3] === '-') {
      open = reply;
      return null;
    }
    open = null;
    size = 0;
    return reply;
  };

  return {
    push(chunk) {
      // Replies have no charset: octets are kept apart as Latin-1 and shown as UTF-8 where they are that.
      const text = rest + chunk.toString('latin1');
      const replies: SmtpReply[] = [];
      let start = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        const line = text.slice(start, end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end);
        start = end + 1;
        const result = readLine(line);
        if (typeof result === 'string') return { replies, fault: result };
        if (result) replies.push(result);
      }
      rest = text.slice(start);
      return rest.length > MAX_LINE ? { replies, fault: 'a line without end' } : { replies };
    },
  };
}

const joined = (text: string, line: string) => (text.length < KEPT ? `${text}\n${line}` : text);

/** What nearly every reply is. */
const PRINTABLE = /^[ -~]*$/;

/** The code that a line begins with: 200 to 599, and behind it nothing, a space or a hyphen. Null for anything else. */
function codeOf(line: string): number | null {
  const code = Number(line.slice(0, 3));
  const separator = line[3] ?? ' ';
  const isCode = DIGITS.test(line) && code >= 200 && code < 600;
  return isCode && (separator === ' ' || separator === '-') ? code : null;
}

const DIGITS = /^\d{3}/;

/** How a reply is shown and stored: `250 2.0.0 Ok: queued`, on one line, controls removed. */
export function showReply(reply: SmtpReply): string {
  if (PRINTABLE.test(reply.text)) return `${reply.code} ${reply.text}`.trim();
  const utf8 = Buffer.from(reply.text, 'latin1').toString('utf8');
  const text = utf8.includes('\uFFFD') ? reply.text : utf8;
  return `${reply.code} ${text.replace(/\p{Cc}+/gu, ' ')}`.trim();
}

/** The enhanced status code (RFC 3463) of a reply, such as `5.1.1`; null when it has none. */
export const enhancedCode = (reply: SmtpReply): string | null =>
  /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply.text)?.[1] ?? null;

/** The server wants to hear more: 354, and nothing else that is said in a mail transaction. */
export const isIntermediate = ({ code }: SmtpReply): boolean => code >= 300 && code < 400;
/** `250 2.1.5`: RCPT was accepted, or MAIL (RFC 3463 section 3.2), and not a message. */
export const speaksOfAddress = (reply: SmtpReply): boolean =>
  reply.code < 300 && enhancedCode(reply)?.startsWith('2.1.') === true;
/** The server does not know the command or its parameter (RFC 5321 section 4.2.4). */
export const isUnknownCommand = ({ code }: SmtpReply): boolean => [500, 501, 502, 504].includes(code);
/** The server does not know a parameter of MAIL (RFC 5321 section 4.1.1.11). */
export const isUnknownParameter = ({ code }: SmtpReply): boolean => code === 555 || code === 504;
