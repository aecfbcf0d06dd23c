import type { ReaderLinks } from '#src/mail/links.ts';
import type { Recipient } from './subscriber.ts';
import type { ConfirmationPurpose, TokenPurpose, Tokens } from './tokens.ts';

/** Makes the absolute URLs that mails carry; the routes of src/web answer to the same paths. */
export type Links = {
  /** The links of one reader: about 15 µs when every one is used, made when first read. */
  linksOf(recipient: Pick<Recipient, 'publicId' | 'linkEpoch'>): ReaderLinks;
  /** The page with the confirmation's button; made again from the row's id, never stored. */
  confirmation(purpose: ConfirmationPurpose, confirmationId: number): string;
  /** Takes back an unsubscription, for `hours` (default 72). */
  undo(recipient: Pick<Recipient, 'publicId' | 'linkEpoch'>, now: Date, hours?: number): string;
  /** The reader's secret feed; `feedEpoch` revokes it apart from the mailed links. */
  feed(reader: { publicId: string; feedEpoch: number }, format: 'atom' | 'json'): string;
};

/**
 * @param baseUrl origin and path prefix under which the pages are served, `https://papers.example.org`
 */
export function createLinks({ baseUrl, tokens }: { baseUrl: string; tokens: Tokens }): Links {
  const base = baseUrl.replace(/\/+$/, '');
  return {
    linksOf: (recipient) => readerLinks(base, tokens, recipient),
    confirmation: (purpose, id) => `${base}/confirm/${tokens.confirmation(purpose, id)}`,
    undo: (recipient, now, hours = 72) => {
      const expires = Math.floor(now.getTime() / 1000) + hours * 3600;
      const subject = { publicId: recipient.publicId, epoch: recipient.linkEpoch };
      return `${base}/undo/${tokens.sign('undo', subject, expires)}`;
    },
    feed: ({ publicId, feedEpoch }, format) =>
      `${base}/my-feed/${tokens.sign('feed', { publicId, epoch: feedEpoch })}.${format}`,
  };
}

function readerLinks(
  base: string,
  tokens: Tokens,
  recipient: Pick<Recipient, 'publicId' | 'linkEpoch'>,
): ReaderLinks {
  const subject = { publicId: recipient.publicId, epoch: recipient.linkEpoch };
  // One tag per purpose, not per link: a digest of 50 papers has 200 links but needs 7 tags.
  const made = new Map<TokenPurpose, string>();
  const path = (folder: string, purpose: TokenPurpose) => {
    let url = made.get(purpose);
    if (!url) made.set(purpose, (url = `${base}/${folder}/${tokens.sign(purpose, subject)}`));
    return url;
  };
  return {
    get preferences() {
      return path('preferences', 'preferences');
    },
    get unsubscribe() {
      return path('unsubscribe', 'unsubscribe');
    },
    get oneClick() {
      return path('one-click', 'one-click');
    },
    get pause() {
      return path('pause', 'pause');
    },
    viewDigest: (editionDate) => `${path('digest', 'digest')}/${editionDate}`,
    feedback: (paperId, verdict) => `${path('feedback', 'feedback')}/${paperId}/${verdict}`,
    topic: (kind, value, action) =>
      `${path('topic', 'topic')}/${action}/${encodeURIComponent(kind)}?value=${encodeURIComponent(value)}`,
  };
}
