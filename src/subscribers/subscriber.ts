import type { IsoDate, SubscriberId } from '#src/database/ids.ts';

/**
 * `pending`: waits for the confirmation · `active`: gets digests · `paused`: until `pausedUntil`, or until they
 * come back when that is null · `unsubscribed`: gone; the row stays until erased.
 */
export type SubscriberState = 'pending' | 'active' | 'paused' | 'unsubscribed';

/** `weekly` mails on the first day of `weekdays` (Monday when all are set). */
export type Frequency = 'daily' | 'weekdays' | 'weekly';

/** When a reader wants the digest. */
export type Schedule = {
  /** IANA zone, `Europe/Berlin`. */
  readonly timezone: string;
  /** Local hour, 0–23. */
  readonly hour: number;
  readonly frequency: Frequency;
  /** Bit 0 = Monday … bit 6 = Sunday; 1–127. Days that the frequency allows and this does not are skipped. */
  readonly weekdays: number;
};

/** What a reader chooses, apart from what they follow. */
export type Preferences = Schedule & {
  readonly papersPerDigest: number;
  /** 0 = taste only … 100 = trending only. */
  readonly dial: number;
  readonly fillWithTrending: boolean;
  readonly tellNothingToday: boolean;
  /** A paper put aside ("not now") comes again, once. */
  readonly reminders: boolean;
  readonly sections: boolean;
  readonly images: boolean;
  /** BCP 47: one of LANGUAGES in src/mail/languages.ts. */
  readonly language: string;
};

/** A reader as stored. `email` is null after erasure. */
export type Subscriber = Preferences & {
  readonly id: SubscriberId;
  /** UUID: what signed links carry instead of an address. */
  readonly publicId: string;
  readonly email: string | null;
  readonly state: SubscriberState;
  readonly nextDigestAt: Date | null;
  readonly pausedUntil: IsoDate | null;
  /** Raised to revoke every link mailed so far. */
  readonly linkEpoch: number;
  readonly createdAt: Date;
  readonly confirmedAt: Date | null;
};

/** The part of a subscriber that composing a mail needs. */
export type Recipient = Pick<
  Subscriber,
  'id' | 'publicId' | 'email' | 'state' | 'language' | 'timezone' | 'linkEpoch' | 'sections' | 'images'
>;
