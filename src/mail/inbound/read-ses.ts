import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Evidence } from './bounce.ts';
import { oneLine, statusIn } from './bounce-text.ts';
import type { Feedback } from './read-feedback.ts';

/** What Amazon SES mails to an address that is told of bounces and complaints: JSON, the same as it posts to web hooks. */
const Notification = Type.Object({
  bounce: Type.Optional(
    Type.Object({
      bounceType: Type.Optional(Type.String()),
      bouncedRecipients: Type.Array(
        Type.Object({
          emailAddress: Type.String(),
          action: Type.Optional(Type.String()),
          status: Type.Optional(Type.String()),
          diagnosticCode: Type.Optional(Type.String()),
        }),
      ),
    }),
  ),
  complaint: Type.Optional(
    Type.Object({
      complainedRecipients: Type.Array(Type.Object({ emailAddress: Type.String() })),
      complaintFeedbackType: Type.Optional(Type.String()),
    }),
  ),
  mail: Type.Optional(Type.Object({ source: Type.Optional(Type.String()) })),
});

/** The notification in a mail's text; null for any other text. */
export function sesNotification(text: string): Static<typeof Notification> | null {
  const json = text.trimStart().startsWith('{')
    ? text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)
    : '';
  try {
    const value: unknown = JSON.parse(json.replace(/[\r\n]+/g, ''));
    return Value.Check(Notification, value) && (value.bounce || value.complaint) ? value : null;
  } catch {
    return null;
  }
}

/** What it says of each bounced recipient. */
export function sesEvidence(text: string): readonly Evidence[] {
  const bounce = sesNotification(text)?.bounce;
  return (bounce?.bouncedRecipients ?? []).map(({ emailAddress, status = '', diagnosticCode = '' }) => ({
    recipient: emailAddress,
    action: 'failed',
    status: statusIn(status),
    texts: [oneLine(diagnosticCode)],
    context: '',
  }));
}

/** The complaint in it. */
export function sesFeedback(text: string): Feedback | null {
  const found = sesNotification(text);
  if (!found?.complaint) return null;
  const recipients = found.complaint.complainedRecipients.map(({ emailAddress }) => emailAddress);
  return {
    type: (found.complaint.complaintFeedbackType ?? 'abuse').toLowerCase(),
    recipients: recipients.length > 0 ? recipients : [null],
    originalMailFrom: found.mail?.source ?? null,
  };
}
