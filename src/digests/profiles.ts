import type { Queryable } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import type { Profile } from '#src/matching/types.ts';
import { feedbackOf } from '#src/subscribers/feedback-store.ts';
import type { Preferences } from '#src/subscribers/subscriber.ts';
import type { TopicStore } from '#src/topics/topic-store.ts';

/** A reader whose profile is wanted. */
type Reader = Pick<Preferences, 'dial' | 'fillWithTrending' | 'papersPerDigest'> & {
  readonly id: SubscriberId;
};

/**
 * The profiles of readers: follows, mutes and feedback in two queries for all of them. Who follows nothing (nothing
 * but mutes included) wants what trends, whatever the fill setting says: else they would never get a mail.
 */
export async function profilesOf(
  topics: Pick<TopicStore, 'followsOf'>,
  db: Queryable,
  readers: readonly Reader[],
): Promise<Map<SubscriberId, Profile>> {
  const ids = readers.map((reader) => reader.id);
  const follows = await topics.followsOf(ids, db);
  const feedback = await feedbackOf(db, ids);
  return new Map(
    readers.map((reader) => {
      const own = follows.get(reader.id) ?? { follows: [], mutes: [] };
      const judged = feedback.get(reader.id) ?? { likes: [], dislikes: [], notNow: [] };
      const profile: Profile = {
        follows: own.follows,
        mutes: own.mutes,
        likes: judged.likes,
        dislikes: judged.dislikes,
        notNow: judged.notNow,
        dial: reader.dial,
        fillWithTrending: reader.fillWithTrending || own.follows.length === 0,
        limit: reader.papersPerDigest,
      };
      return [reader.id, profile];
    }),
  );
}
