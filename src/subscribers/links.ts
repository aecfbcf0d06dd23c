import {
  LINK_TOKENS,
  type LinkToken,
  openToken,
  type ReaderLinks,
  type ReaderTokens,
} from '#src/mail/links.ts';
import type { Recipient } from './subscriber.ts';
import type { ConfirmationPurpose, Tokens } from './tokens.ts';

/** Makes the absolute URLs that mails carry; the routes of src/web answer to the same paths. */
export type Links = {
  /** The links of all readers, open for their tokens (see `openToken`): digests are encoded with these. */
  readonly open: ReaderLinks;
  /** What belongs into the open links of one reader. */
  tokensOf(recipient: Pick<Recipient, 'publicId' | 'linkEpoch'>): ReaderTokens;
  /** The links of one reader, each made when it is read. */
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
    open: linksWith(base, openToken),
    tokensOf: ({ publicId, linkEpoch }) => tokens.signEach(LINK_TOKENS, { publicId, epoch: linkEpoch }),
    linksOf: ({ publicId, linkEpoch }) =>
      linksWith(base, (purpose) => tokens.sign(purpose, { publicId, epoch: linkEpoch })),
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

/** The paths of mailed links, which the routes answer to; `tokenOf` gives what stands for the token. */
function linksWith(base: string, tokenOf: (purpose: LinkToken) => string): ReaderLinks {
  return {
    get preferences() {
      return `${base}/preferences/${tokenOf('preferences')}`;
    },
    get unsubscribe() {
      return `${base}/unsubscribe/${tokenOf('unsubscribe')}`;
    },
    get oneClick() {
      return `${base}/one-click/${tokenOf('one-click')}`;
    },
    get pause() {
      return `${base}/pause/${tokenOf('pause')}`;
    },
    viewDigest: (editionDate) => `${base}/digest/${tokenOf('digest')}/${editionDate}`,
    feedback: (paperId, verdict) => `${base}/feedback/${tokenOf('feedback')}/${paperId}/${verdict}`,
    topic: (kind, value, action) =>
      `${base}/topic/${tokenOf('topic')}/${action}/${encodeURIComponent(kind)}?value=${encodeURIComponent(value)}`,
  };
}
