import type { Bounce } from './bounce.ts';
import type { InboundMail } from './inbound-mail.ts';
import { readBounces } from './read-bounces.ts';
import { type Feedback, readFeedback } from './read-feedback.ts';
import { addressIn } from './report-fields.ts';

/** What a mail to the bounce mailbox is. */
export type Inbound =
  /** The reader's mail client followed the mailto of List-Unsubscribe (RFC 2369); the token is to be verified. */
  | { readonly type: 'unsubscribe'; readonly token: string }
  | { readonly type: 'feedback'; readonly feedback: Feedback }
  | { readonly type: 'bounce'; readonly bounces: readonly [Bounce, ...Bounce[]] }
  /** An absence note and the like: nothing follows from it. */
  | { readonly type: 'auto-reply' }
  | { readonly type: 'other' };

/** Says what a mail is. Pure, and never throws for what is in the mail. Machine-readable reports go before words, and words before guesses. */
export function readInbound(mail: InboundMail): Inbound {
  const token = /^\s*unsubscribe\s+([\w-]{40,80})\s*$/i.exec(mail.subject)?.[1];
  if (token !== undefined) return { type: 'unsubscribe', token };
  const feedback = readFeedback(mail);
  if (feedback) return { type: 'feedback', feedback };
  if (mail.deliveryStatus === '' && isAbsenceNote(mail)) return { type: 'auto-reply' };
  const [first, ...others] = readBounces(mail);
  if (first) return { type: 'bounce', bounces: [first, ...others] };
  return isAutomatic(mail) ? { type: 'auto-reply' } : { type: 'other' };
}

/** Subjects of absence notes in the languages of our readers. */
const ABSENCE =
  /^\s*(?:re: ?)?(?:\[?auto(?:matic|mated)?[- ]?(?:reply|response|antwort)|automatische antwort|abwesen|out of (?:the )?office|(?:on )?vacation|away from|r[eé]ponse automatique|absen|respuesta autom[aá]tica|fuera de (?:la )?oficina|自动回复|自動回覆|自動返信|自動応答|不在)/i;

const isAbsenceNote = (mail: InboundMail) =>
  ABSENCE.test(mail.subject) ||
  ['x-autoreply', 'x-autorespond', 'x-autoresponder'].some((name) => mail.header(name) !== '');

/** RFC 3834 §5, and what came before it. */
function isAutomatic(mail: InboundMail): boolean {
  const submitted = mail.header('auto-submitted').toLowerCase();
  return (submitted !== '' && !submitted.startsWith('no')) || /auto_reply/i.test(mail.header('precedence'));
}

/** Fields in which the address a mail was delivered to may stand, the envelope's first. */
const DELIVERED = ['x-original-to', 'delivered-to', 'envelope-to', 'x-envelope-to', 'to', 'cc'];

/**
 * Texts in which the tag of our envelope sender (`bounces+d123-…@`, see `parseBounceTag`) may stand: where the mail was delivered, and the
 * sender of the mail that it is about. Nothing in them is to be believed but a tag with our hash.
 */
export function tagPlaces(mail: InboundMail, inbound: Inbound): readonly string[] {
  const delivered = DELIVERED.flatMap((name) => mail.headers(name)).flatMap((value) => value.split(','));
  const returned = /^return-path:(.*)$/im.exec(mail.original || mail.text)?.[1] ?? '';
  const reported = inbound.type === 'feedback' ? (inbound.feedback.originalMailFrom ?? '') : '';
  return [...delivered, returned, reported].flatMap((value) => addressIn(value) ?? []);
}
