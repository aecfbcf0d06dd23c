import type { NoticeStore } from '#src/mail/notice-store.ts';
import type { SuppressionStore } from '#src/mail/suppression-store.ts';
import type { TopicStore } from '#src/topics/topic-store.ts';

/**
 * What the use cases of this room need of others, as narrowly as they need it. `src/services.ts` wires them.
 */

/** Where a request came from: kept with the event it caused. */
export type Visit = { readonly ip: string | null; readonly userAgent: string | null };

/** Writes rows of `notices` in the caller's transaction; ids in the order of the input. */
export type PlanNotices = NoticeStore['plan'];

/** The ties of readers to topics, as the topic store keeps them. */
export type FollowPort = Pick<TopicStore, 'followsOf' | 'replaceFollows' | 'setFollow' | 'removeFollow'>;

/** Addresses that must not be mailed, by `email_key`. */
export type SuppressionPort = Pick<SuppressionStore, 'among' | 'add' | 'forgive'>;
