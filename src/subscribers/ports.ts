import type { Queryable } from '#src/database/database.ts';
import type { NoticeId, SubscriberId } from '#src/database/ids.ts';
import type { Notice } from '#src/mail/notice.ts';
import type { TopicStore } from '#src/topics/topic-store.ts';

/**
 * What the use cases of this room need of others, as narrowly as they need it. `src/services.ts` wires them.
 */

/** Where a request came from: kept with the event it caused. */
export type Visit = { readonly ip: string | null; readonly userAgent: string | null };

/** A transactional mail to be planned. */
export type PlannedNotice = {
  readonly subscriberId: SubscriberId;
  readonly email: string;
  readonly language: string;
  readonly notice: Notice;
};

/** Writes rows of `notices` in the caller's transaction; ids in the order of the input. */
export type PlanNotices = (
  tx: Queryable,
  notices: readonly PlannedNotice[],
  now: Date,
) => Promise<NoticeId[]>;

/** The ties of readers to topics, as the topic store keeps them. */
export type FollowPort = Pick<TopicStore, 'followsOf' | 'replaceFollows' | 'setFollow' | 'removeFollow'>;

/** Why an address must not be mailed. */
export type SuppressionReason = 'unsubscribed' | 'hard_bounce' | 'complaint' | 'operator';

/** Addresses that must not be mailed, by `email_key`. */
export type SuppressionPort = {
  among(db: Queryable, keys: readonly string[]): Promise<Map<string, SuppressionReason>>;
  add(tx: Queryable, key: string, reason: SuppressionReason, now: Date): Promise<void>;
  /** Takes back an `unsubscribed`; other reasons stay. */
  forgive(tx: Queryable, key: string): Promise<void>;
};
