import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { ReasonView } from '#src/mail/digest-view.ts';
import type { Reason } from '#src/matching/types.ts';
import type { ReadReasons } from './reasons-text.ts';

/** States of a ledger row; see docs/architecture.md for what leads from one to the next. */
export const DIGEST_STATES = [
  'planned',
  'claimed',
  'handed_over',
  'sent',
  'deferred',
  'failed',
  'unknown',
  'skipped',
] as const;

/** See {@link DIGEST_STATES}. */
export type DigestState = (typeof DIGEST_STATES)[number];

/** `welcome`: the first, right after the confirmation · `weekly`: best of the week · `nothing`: "nothing today". */
export type DigestKind = 'welcome' | 'daily' | 'weekly' | 'nothing';

/** Why a digest was not sent. */
export type SkipReason =
  | 'no-papers'
  | 'suppressed'
  | 'unsubscribed'
  | 'paused'
  | 'address-gone'
  | 'all-withdrawn'
  | 'past-deadline';

/** What a digest shows, frozen when it is planned. Stored in the digest's row, all but the reasons: those are a line of `digest_contents`. */
export type DigestContent<Why = Reason> = {
  /** Best first; aligned with `reasons`. */
  readonly paperIds: readonly PaperId[];
  readonly reasons: readonly (readonly Why[])[];
  /** How many candidates there were, for "9 of 428 papers". */
  readonly candidates: number;
  /** How many of them earlier digests had brought the reader already; absent in rows from before it was noted. */
  readonly had?: number;
};

/**
 * The content out of its columns.
 * @param stored `reasons` as their line of the block (null or '': none), read whenever they are asked for, and not kept: a claimed row is
 *   a string and not a hundred objects that the collector must move
 * @param read reads the lines of that block
 */
export function contentOf<Read>(
  paperIds: readonly PaperId[],
  stored: {
    readonly reasons: string | null;
    readonly candidates: number;
    readonly had: number | null;
  },
  read: ReadReasons<Read>,
): DigestContent<Read> {
  return {
    paperIds,
    get reasons() {
      return read(stored.reasons ?? '');
    },
    candidates: stored.candidates,
    ...(stored.had === null ? {} : { had: stored.had }),
  };
}

/** A ledger row to be written. */
export type PlannedDigest = {
  readonly editionDate: IsoDate;
  readonly subscriberId: SubscriberId;
  readonly kind: DigestKind;
  readonly content: DigestContent;
  /** The instant the reader asked for. */
  readonly slotAt: Date;
  /** After this it is not sent any more. */
  readonly deadline: Date;
  /** Set: the row is written as `skipped`. */
  readonly skip?: SkipReason;
};

/** A ledger row claimed by this process, with what composing needs. */
export type ClaimedDigest = {
  readonly id: DigestId;
  readonly editionDate: IsoDate;
  readonly subscriberId: SubscriberId;
  readonly kind: DigestKind;
  /** Its reasons are to be shown: without their weights. */
  readonly content: DigestContent<ReasonView>;
  readonly slotAt: Date;
  readonly deadline: Date;
  /** Attempts before this one. */
  readonly attempts: number;
  /** Fencing token: every later write for this row must carry it. */
  readonly leaseToken: number;
};
