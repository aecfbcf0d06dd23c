import type { Database } from '#src/database/database.ts';
import type { Bounce } from '#src/mail/inbound/bounce.ts';
import { LARGEST_INBOUND, parseInbound } from '#src/mail/inbound/inbound-mail.ts';
import { isComplaint } from '#src/mail/inbound/read-feedback.ts';
import { type Inbound, readInbound, tagPlaces } from '#src/mail/inbound/read-inbound.ts';
import { type MailKey, parseBounceTag } from '#src/mail/sender.ts';
import type { SuppressionStore } from '#src/mail/suppression-store.ts';
import type { Subscribers } from '#src/subscribers/lifecycle.ts';
import type { Tokens } from '#src/subscribers/tokens.ts';
import { type Mailed, mailedTo } from './mailed-store.ts';

/** What {@link createReceiveMail} needs. */
export type ReceiveMailDependencies = {
  readonly database: Database;
  /** Key of the tags in envelope senders: {@link Sender.key}. */
  readonly key: MailKey;
  readonly suppressions: Pick<SuppressionStore, 'add'>;
  readonly subscribers: Pick<Subscribers, 'unsubscribe'>;
  readonly tokens: Pick<Tokens, 'read'>;
  readonly addressKey: (email: string) => string;
  readonly now: () => Date;
};

/** What a mail was, and what was done about it. */
export type Received = {
  readonly type: Inbound['type'];
  /**
   * - `unsubscribed`, `suppressed`: as it says; a complaint does both and is `suppressed`.
   * - `noted`: nothing follows from it, a temporary failure for one.
   * - `not-ours`: no tag or token of ours is in it, or it names nobody (any more). It may be anybody's word, so nothing is done.
   */
  readonly did: 'unsubscribed' | 'suppressed' | 'noted' | 'not-ours';
  /** Row that the mail is about, `digest 123`; absent when it names none. */
  readonly about?: string;
  /** What the other side said, for the operator: reason and diagnostic of a bounce, type of a feedback report. */
  readonly detail?: string;
};

const NOBODY = { ip: null, userAgent: null } as const;

/**
 * Takes a mail that came to the bounce mailbox: bounces and complaints suppress the address that our own tag names, a request with our token
 * unsubscribes; all else is left alone. The same mail twice changes nothing more.
 * @throws the database's error when it can't be reached; nothing was changed then
 */
export function createReceiveMail(deps: ReceiveMailDependencies) {
  /**
   * @param raw the mail; what is beyond {@link LARGEST_INBOUND} octets is not looked at
   * @param delivered address it was delivered to, as the mail server knows it
   */
  return async (raw: Buffer, delivered?: string): Promise<Received> => {
    const mail = await parseInbound(raw.subarray(0, LARGEST_INBOUND));
    const inbound = readInbound(mail);
    if (inbound.type === 'unsubscribe') return unsubscribe(deps, inbound.token);
    if (inbound.type === 'auto-reply' || inbound.type === 'other')
      return { type: inbound.type, did: 'noted' };
    const places = [...(delivered ? [delivered] : []), ...tagPlaces(mail, inbound)];
    const tag = places.map((place) => parseBounceTag(place, deps.key)).find((each) => each !== null);
    const mailed = tag && (await mailedTo(deps.database, tag));
    const detail = detailOf(inbound);
    if (!tag || !mailed) return { type: inbound.type, did: 'not-ours', detail };
    return {
      type: inbound.type,
      did: await act(deps, inbound, mailed),
      about: `${tag.kind} ${tag.id}`,
      detail,
    };
  };
}

async function unsubscribe(deps: ReceiveMailDependencies, token: string): Promise<Received> {
  const read = deps.tokens.read('one-click', token, deps.now());
  if (read.type !== 'ok') return { type: 'unsubscribe', did: 'not-ours', detail: read.type };
  const who = { publicId: read.publicId, epoch: read.epoch };
  const outcome = await deps.subscribers.unsubscribe(who, 'mail', NOBODY);
  if (outcome.type !== 'done') return { type: 'unsubscribe', did: 'not-ours', detail: outcome.type };
  return { type: 'unsubscribe', did: 'unsubscribed' };
}

async function act(
  deps: ReceiveMailDependencies,
  inbound: Extract<Inbound, { type: 'bounce' | 'feedback' }>,
  mailed: Mailed,
): Promise<Received['did']> {
  const detail = detailOf(inbound);
  if (inbound.type === 'feedback') {
    if (!isComplaint(inbound.feedback)) return 'noted';
    // First the address: no goodbye may follow.
    await suppress(deps, mailed, 'complaint', detail);
    if (mailed.publicId !== null)
      await deps.subscribers.unsubscribe({ publicId: mailed.publicId }, 'complaint', NOBODY);
    return 'suppressed';
  }
  if (!inbound.bounces.some(({ hard }) => hard)) return 'noted';
  return (await suppress(deps, mailed, 'hard_bounce', detail)) ? 'suppressed' : 'noted';
}

/** False when the address is not known any more. */
async function suppress(
  { database, suppressions, addressKey, now }: ReceiveMailDependencies,
  { email }: Mailed,
  reason: 'hard_bounce' | 'complaint',
  detail: string,
): Promise<boolean> {
  if (email === null) return false;
  await suppressions.add(database, addressKey(email), reason, now(), detail);
  return true;
}

function detailOf(inbound: Extract<Inbound, { type: 'bounce' | 'feedback' }>): string {
  if (inbound.type === 'feedback') return inbound.feedback.type;
  const worst = inbound.bounces.find(({ hard }) => hard) ?? inbound.bounces[0];
  return bounceLine(worst);
}

/** `userunknown 550 5.1.1: what the server said`. */
function bounceLine({ reason, replyCode, status, diagnostic }: Bounce): string {
  return `${[reason, replyCode, status].filter((part) => part !== null).join(' ')}: ${diagnostic}`;
}
