/** The verdicts a reader can give on a paper. */
export type Verdict = 'more' | 'less' | 'not_now';

/**
 * The absolute, signed URLs of one reader, for the mails. None of them acts on GET: each opens a page with one
 * button, except `oneClick`, which only answers to POST (RFC 8058).
 */
export type ReaderLinks = {
  readonly preferences: string;
  /** Page with the unsubscribe button; `oneClick` is the URL of List-Unsubscribe. */
  readonly unsubscribe: string;
  readonly oneClick: string;
  readonly pause: string;
  /** The digest of `editionDate` as a page. */
  viewDigest(editionDate: string): string;
  feedback(paperId: number, verdict: Verdict): string;
  /** Page that mutes (or unfollows) a topic. */
  topic(kind: string, value: string, action: 'mute' | 'unfollow'): string;
};
