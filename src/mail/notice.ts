/**
 * Transactional mails: everything that is not a digest. Rows of `notices` hold the kind and these parameters;
 * links are made when the mail is composed, so that no token is ever stored.
 */
export type Notice =
  /** Double opt-in of a new subscription. `confirmationId` is a row of `confirmations`. */
  | { readonly kind: 'confirm'; readonly confirmationId: number }
  /** Double opt-in of a new address, sent to that address. */
  | { readonly kind: 'confirm-address'; readonly confirmationId: number }
  /** To the old address, which has to agree with a button too: the subscription is to move to another address. */
  | { readonly kind: 'address-changed'; readonly done: false; readonly confirmationId: number }
  /** To the old address, for information: it did move. */
  | { readonly kind: 'address-changed'; readonly done: true }
  | { readonly kind: 'preferences-changed' }
  /** `until`: YYYY-MM-DD, or null for "until you come back". */
  | { readonly kind: 'paused'; readonly until: string | null }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'goodbye' }
  /** The operator's test mail. */
  | { readonly kind: 'test' };

/** Every kind of {@link Notice}. */
export type NoticeKind = Notice['kind'];
