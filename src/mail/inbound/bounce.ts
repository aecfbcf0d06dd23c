/**
 * Why a message could not be delivered. The names are those that Sisimai, the widest kept collection of bounce formats, has made
 * usual; RFC 3463's codes alone do not tell a full mailbox from a missing one reliably.
 */
export type BounceReason =
  | 'authfailure'
  | 'badreputation'
  | 'blocked'
  | 'contenterror'
  | 'expired'
  | 'filtered'
  | 'hasmoved'
  | 'hostunknown'
  | 'mailboxfull'
  | 'mailererror'
  | 'mesgtoobig'
  | 'networkerror'
  | 'norelaying'
  | 'notaccept'
  | 'notcompliantrfc'
  | 'policyviolation'
  | 'rejected'
  | 'requireptr'
  | 'securityerror'
  | 'spamdetected'
  | 'suspend'
  | 'systemerror'
  | 'undefined'
  | 'userunknown';

/** The step of the SMTP conversation that was refused, where the report says so. */
export type RefusedStep = 'connect' | 'mail' | 'rcpt' | 'data';

/** What a report says of one recipient. */
export type Bounce = {
  /** Address that could not be reached, as the report writes it; null when it names none. */
  readonly recipient: string | null;
  /** RFC 3464 §2.3.3; `delayed` is a warning only. */
  readonly action: 'failed' | 'delayed';
  /** Enhanced status code (RFC 3463), `5.1.1`; null when the report gives none. */
  readonly status: string | null;
  /** SMTP reply code, 400–599; null when the report gives none. */
  readonly replyCode: number | null;
  readonly reason: BounceReason;
  /** True when the address itself is gone for good: mailing it again can only do harm. */
  readonly hard: boolean;
  /** What the other side said, on one line, at most 500 characters. */
  readonly diagnostic: string;
};

/** What a bounce or one recipient's part of it gives to go by. */
export type Evidence = {
  readonly recipient: string | null;
  readonly action: Bounce['action'] | null;
  /** The report's own Status field. */
  readonly status: string | null;
  /** What was said about this recipient, in falling order of trust: the remote server's words first. */
  readonly texts: readonly string[];
  /** The whole text of the report, for what it says of no recipient in particular. */
  readonly context: string;
};
