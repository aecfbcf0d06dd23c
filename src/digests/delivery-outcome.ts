import { type SendOutcome, SHUTTING_DOWN } from '#src/mail/message.ts';
import type { ClaimedDigest } from './digest.ts';
import type { Claim, DigestResult } from './ledger.ts';

/** Milliseconds. What a server defers is tried again after 1, 2, 4 … minutes, at most an hour, each ± a quarter. */
const BACKOFF = { first: 60_000, last: 3_600_000, jitter: 0.25 };
/** A relay out of reach says nothing of the reader: a short pause, whatever the number of attempts. */
const UNREACHABLE_MS = 20_000;

/**
 * When to try again, in milliseconds from now.
 * @param attempts made before the one that was deferred
 * @param random uniform in [0, 1)
 */
export function backoffMs(attempts: number, reached: boolean, random: number): number {
  const base = reached ? Math.min(BACKOFF.first * 2 ** Math.min(attempts, 20), BACKOFF.last) : UNREACHABLE_MS;
  return Math.round(base * (1 - BACKOFF.jitter + 2 * BACKOFF.jitter * random));
}

/** What an attempt to send a row needs to know of it. */
export type Attempt = Claim & Pick<ClaimedDigest, 'subscriberId' | 'attempts' | 'deadline'>;

/** The state of a claimed row after an attempt to send it. `sender-rejected` is no reader's fault: tried again. */
export function resultOf(
  row: Attempt,
  outcome: SendOutcome,
  { now, random }: { readonly now: Date; readonly random: number },
): DigestResult {
  const { id, editionDate, leaseToken } = row;
  const claim = { id, editionDate, leaseToken };
  switch (outcome.type) {
    case 'accepted':
      return { ...claim, state: 'sent', reply: outcome.reply };
    case 'rejected':
      return { ...claim, state: 'failed', reply: outcome.reply };
    case 'unknown':
      return { ...claim, state: 'unknown', reply: outcome.reply };
    // Others are tried first: it may be this reader's domain alone that the relay won't serve.
    case 'sender-rejected':
    case 'deferred': {
      if (outcome.reply === SHUTTING_DOWN) return { ...claim, state: 'planned' };
      const pause = backoffMs(row.attempts, outcome.code !== undefined, random);
      const dueAt = new Date(now.getTime() + pause);
      if (dueAt < row.deadline) return { ...claim, state: 'deferred', reply: outcome.reply, dueAt };
      return { ...claim, state: 'failed', reply: `not accepted before its deadline: ${outcome.reply}` };
    }
  }
}
