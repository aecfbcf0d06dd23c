/** How long to wait for what, in milliseconds: RFC 5321 section 4.5.3.2. */
export type SmtpTimeouts = {
  readonly mail: number;
  readonly rcpt: number;
  readonly data: number;
  /** For a block of content to be taken by the network. */
  readonly block: number;
  /** For the reply to the final dot. */
  readonly content: number;
  /** For what a server says that refused a message before it had it all: it may take it all the same. */
  readonly secondAnswer: number;
  readonly quit: number;
};

const MINUTE = 60_000;
/** The RFC's own values, where it has any. */
export const RFC_TIMEOUTS: SmtpTimeouts = {
  mail: 5 * MINUTE,
  rcpt: 5 * MINUTE,
  data: 2 * MINUTE,
  block: 3 * MINUTE,
  content: 10 * MINUTE,
  secondAnswer: 5_000,
  quit: 5_000,
};

/** What the next answer of the server is to. */
export type Expected = 'mail' | 'rcpt' | 'data' | 'content' | 'rset' | 'emptied' | 'quit';

/** How long the server may take for the answer that is due. `sending`: the message whose content is unanswered. */
export function timeLimit(
  timeouts: SmtpTimeouts,
  kind: Expected,
  sending: { readonly flushed: boolean; readonly refused: unknown } | null,
): number {
  switch (kind) {
    case 'content':
      if (sending?.refused) return timeouts.secondAnswer;
      return sending?.flushed ? timeouts.content : timeouts.block;
    case 'mail':
    case 'rset':
      return timeouts.mail;
    case 'emptied':
      return timeouts.content;
    case 'rcpt':
      return timeouts.rcpt;
    case 'data':
      return timeouts.data;
    case 'quit':
      return timeouts.quit;
  }
}
