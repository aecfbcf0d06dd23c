import type { Content } from './content.ts';

/** A complete mail, ready for the wire. */
export type OutgoingMessage = {
  readonly envelope: {
    /** MAIL FROM (VERP for digests). */
    readonly from: string;
    /** RCPT TO: exactly one recipient. */
    readonly to: string;
  };
  /** Header value with its angle brackets. */
  readonly messageId: string;
  /** Its octets; dot-stuffing and the final dot are the transport's part. */
  readonly content: Content;
};

/**
 * A message that is put together when a connection is free for it. Until then it is its recipient and little more: hundreds wait in a run,
 * and what each held when composed before its turn was half of what the collector of garbage had to move.
 */
export type Draft = {
  /** RCPT TO. */
  readonly to: string;
  /** @throws what composing throws: the outcome is then `deferred` */
  compose(): OutgoingMessage;
};

/** A message, ready or not. */
export type Mail = OutgoingMessage | Draft;

/** RCPT TO of a message, ready or not. */
export const recipientOf = (mail: Mail): string => ('compose' in mail ? mail.to : mail.envelope.to);

/** The message of a mail, put together now where it was not. */
export const messageOf = (mail: Mail): OutgoingMessage => ('compose' in mail ? mail.compose() : mail);

/**
 * How the attempt to send one message ended. Only what carries an SMTP reply code is definite.
 * - `accepted`: the server took responsibility (2xx after the final dot).
 * - `deferred`: 4xx, or the connection failed before DATA was entered: safe to try again.
 * - `rejected`: 5xx for this message or recipient (`scope` tells which); no retry mends it.
 * - `sender-rejected`: 5xx about *us* (MAIL FROM, AUTH): stop the run, it would hit every reader.
 * - `unknown`: the connection was lost after the message was (partly) handed over and before its reply (RFC 1047).
 */
export type SendOutcome =
  | { readonly type: 'accepted'; readonly reply: string }
  | { readonly type: 'deferred'; readonly reply: string; readonly code?: number }
  | {
      readonly type: 'rejected';
      readonly reply: string;
      readonly code: number;
      readonly scope: 'address' | 'message';
    }
  | { readonly type: 'sender-rejected'; readonly reply: string; readonly code: number }
  | { readonly type: 'unknown'; readonly reply: string };

/** The reply of a message that was not begun when the transport closed: `deferred`, and nothing was wrong with it. */
export const SHUTTING_DOWN = 'shutting down';

/** How to send one message, and what to be told of it. */
export type SendOptions = {
  /** Goes before all that is not urgent, over a connection of its own when all others are busy. */
  readonly urgent?: boolean;
  /**
   * Called right before the first octet of the content is written, once at most; false stops it (`deferred`).
   * It must not wait: it is the place for a local journal.
   */
  onContent?(): boolean;
  /** Called when a server has refused content that was begun, and another relay or connection is to take the message. */
  onRefusal?(): void;
  /** Called as soon as the outcome is known, before the content of the next message on that connection is begun. */
  onOutcome?(outcome: SendOutcome): void;
};

/** Sends messages over SMTP. One instance is shared by a process. */
export type MailTransport = {
  /**
   * Sends one message; never rejects for what the network or the server does.
   * @param handOver is awaited once a connection is free, before DATA (or BDAT) is written: the ledger commits
   *   `handed_over` in it. When it answers false the message is not sent (another worker has it) and the outcome is
   *   `deferred`. A plain `true` (committed before) lets the next message travel with the current one.
   */
  send(mail: Mail, handOver: () => boolean | Promise<boolean>, options?: SendOptions): Promise<SendOutcome>;
  /** Finishes what is in flight, says QUIT, closes the connections. */
  close(): Promise<void>;
};
