import type { SendOutcome } from './message.ts';
import { enhancedCode, type SmtpReply, showReply } from './smtp-reply.ts';

/** The command of a transaction that a reply answers. */
export type SmtpPhase = 'mail' | 'rcpt' | 'data' | 'content';

/** Enhanced codes (RFC 3463) that say that the address itself can't be mailed: they feed suppression. */
const ADDRESS_GONE = new Set(['5.1.0', '5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1']);
/** Enhanced codes that say that *we* may not send: every reader would get the same answer. */
const SENDER_REFUSED = new Set(['5.1.7', '5.1.8', '5.7.0', '5.7.3', '5.7.8', '5.7.9', '5.7.11', '5.7.14']);

/**
 * Turns the reply that ended a transaction into its outcome. RFC 5321 section 4.2.1: 4xx may be tried again, 5xx not.
 * @param phase which command was answered
 */
export function classifyReply(reply: SmtpReply, phase: SmtpPhase): SendOutcome {
  const shown = showReply(reply);
  if (reply.code < 300)
    return phase === 'content'
      ? { type: 'accepted', reply: shown }
      : { type: 'deferred', reply: `out of order: ${shown}` };
  if (reply.code < 500) return { type: 'deferred', reply: shown, code: reply.code };
  if (isAboutSender(reply, phase)) return { type: 'sender-rejected', reply: shown, code: reply.code };
  return { type: 'rejected', reply: shown, code: reply.code, scope: scopeOf(reply, phase) };
}

function isAboutSender(reply: SmtpReply, phase: SmtpPhase): boolean {
  const enhanced = enhancedCode(reply);
  // 530, 535, 538: log in first, or better (RFC 4954).
  if (reply.code === 530 || reply.code === 535 || reply.code === 538) return true;
  if (enhanced !== null && SENDER_REFUSED.has(enhanced)) return true;
  if (phase === 'mail') return !isAboutSize(reply, enhanced);
  // "Relay access denied": this relay doesn't know us.
  return (
    phase === 'rcpt' && /\brelay(ing)?\b.*\b(denied|prohibited|not permitted|not allowed)\b/i.test(reply.text)
  );
}

/** 552 and 5.3.4: this message is too big (RFC 1870), which says nothing of the sender. */
const isAboutSize = (reply: SmtpReply, enhanced: string | null) =>
  reply.code === 552 || enhanced === '5.3.4' || enhanced === '5.2.3';

/**
 * The relay would not take this message, whoever it is for: another relay may. All that is said to MAIL (what is about the sender
 * is told by {@link classifyReply}), a message that is too big, and a mail system in trouble (RFC 3463: X.3.X).
 */
export function isAboutRelay(reply: SmtpReply, phase: SmtpPhase): boolean {
  if (reply.code < 400) return false;
  const enhanced = enhancedCode(reply);
  if (phase === 'mail' || enhanced?.slice(1, 4) === '.3.') return true;
  return phase === 'content' && enhanced === null && (reply.code === 552 || reply.code === 452);
}

function scopeOf(reply: SmtpReply, phase: SmtpPhase): 'address' | 'message' {
  const enhanced = enhancedCode(reply);
  if (enhanced !== null) return ADDRESS_GONE.has(enhanced) ? 'address' : 'message';
  // Without an enhanced code 550, 551 and 553 to RCPT mean the mailbox (RFC 5321 section 4.2.3).
  return phase === 'rcpt' && [550, 551, 553].includes(reply.code) ? 'address' : 'message';
}

/** The enhanced status code in a reply as {@link showReply} shows it, `450 4.7.1 …`; null when it has none. */
export const enhancedCodeOf = (shown: string): string | null =>
  /^\d{3} ([245]\.\d{1,3}\.\d{1,3})\b/.exec(shown)?.[1] ?? null;
