import type { OutgoingMessage, SendOutcome } from './message.ts';

/** One message for a session; it may be on the wire as soon as the session has it. */
export type SmtpJob = {
  readonly message: OutgoingMessage;
  /** Connections that it has been on before, and that ended before any of its content was written. */
  readonly losses?: number;
  readonly urgent?: boolean;
  /** Called right before the first octet of the content is written; false stops it: nothing is sent. */
  onContent(): boolean;
  /** Called once. */
  done(result: JobResult): void;
};

/**
 * What became of a message on one connection. `untouched`: the connection ended (or refused to go on) before any content of it was
 * taken. `unfit`: this relay would not take it, and another may; where there is none, that is its outcome.
 */
export type JobResult =
  | SendOutcome
  | { readonly type: 'untouched'; readonly reply: string }
  | { readonly type: 'unfit'; readonly outcome: SendOutcome };
