/** What the tokens in mailed links are good for, one each. */
export const LINK_TOKENS = [
  'preferences',
  'unsubscribe',
  'one-click',
  'pause',
  'digest',
  'feedback',
  'topic',
] as const;

/** See {@link LINK_TOKENS}. */
export type LinkToken = (typeof LINK_TOKENS)[number];

/** One reader's tokens, {@link TOKEN_LENGTH} characters of base64url each. */
export type ReaderTokens = Readonly<Record<LinkToken, string>>;

/** Characters of every token. Links of two readers differ in their tokens only: mails are encoded with these places left open. */
export const TOKEN_LENGTH = 55;

/** First of the private-use characters that hold a token's place: no URL and no encoded text has any. */
const FIRST_OPEN = 0xe000;

/** What stands in an open link for the token: character n of all tokens, one after the other, is U+E000 + n. */
export function openToken(purpose: LinkToken): string {
  const first = FIRST_OPEN + LINK_TOKENS.indexOf(purpose) * TOKEN_LENGTH;
  return String.fromCharCode(...Array.from({ length: TOKEN_LENGTH }, (_, index) => first + index));
}

/** A stretch of a text that is open: characters `from` to `to` of all tokens belong at `at`. */
export type OpenPlace = { readonly at: number; readonly from: number; readonly to: number };

/** Where a text is open. Encoding may have torn a token in two. */
export function openPlaces(text: string): OpenPlace[] {
  return Array.from(text.matchAll(/[\ue000-\uf8ff]+/g), ({ 0: run, index }) => {
    const from = run.charCodeAt(0) - FIRST_OPEN;
    return { at: index, from, to: from + run.length };
  });
}

/** The verdicts a reader can give on a paper. */
export type Verdict = 'more' | 'less' | 'not_now';

/**
 * The absolute, signed URLs of one reader, for the mails; or, with {@link openToken} in the place of tokens, of all readers. None of them acts on GET: each opens a page with one
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
