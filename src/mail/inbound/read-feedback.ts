import type { InboundMail } from './inbound-mail.ts';
import { sesFeedback } from './read-ses.ts';
import { addressIn, fieldGroups, valueOf } from './report-fields.ts';

/** A feedback report (RFC 5965): somebody pressed "this is spam", or a server tells of an authentication that failed. */
export type Feedback = {
  /** `abuse`, `auth-failure`, `fraud`, `not-spam`, `opt-out` …, in lower case (RFC 5965 §7.3, RFC 6591). */
  readonly type: string;
  /** Whom the reported mail was for, as far as the report tells: providers often blank it; at least one entry. */
  readonly recipients: readonly (string | null)[];
  /** Envelope sender of the reported mail: our own VERP address, when the report gives it. */
  readonly originalMailFrom: string | null;
};

/** Types that say "I did not want this mail". An `auth-failure` or `not-spam` report is none. */
const COMPLAINTS: ReadonlySet<string> = new Set([
  'abuse',
  'fraud',
  'opt-out',
  'opt-out-list',
  'miscategorized',
  'other',
  'virus',
]);

/** True for a report by which a reader complains. */
export const isComplaint = ({ type }: Feedback): boolean => COMPLAINTS.has(type);

/** The feedback report in a mail; null when there is none. */
export function readFeedback(mail: InboundMail): Feedback | null {
  const notified = sesFeedback(mail.text);
  if (notified) return notified;
  const [group] = fieldGroups(mail.feedbackReport);
  const type = group ? valueOf(group, 'feedback-type').toLowerCase() : '';
  if (!group || type === '') return null;
  const recipients = (group.get('original-rcpt-to') ?? []).map(addressIn);
  return {
    type,
    recipients: recipients.length > 0 ? recipients : [null],
    originalMailFrom: addressIn(valueOf(group, 'original-mail-from')),
  };
}
