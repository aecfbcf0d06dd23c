import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { TopicId } from '#src/database/ids.ts';
import type { TopicRef } from './topic.ts';

/** Reads topics by row. Every id that a follow refers to is in the answer. */
export type TopicReader = (
  ids: ReadonlySet<TopicId>,
  on: Queryable,
) => Promise<ReadonlyMap<TopicId, TopicRef>>;

/** Topics remembered at most, but for those of one reading. */
const REMEMBERED = 50_000;

/** Remembers what it has read: what a row stands for never changes, and most readers follow the same few thousand. */
export function createTopicReader(limit = REMEMBERED): TopicReader {
  const known = new Map<TopicId, TopicRef>();
  return async (ids, on) => {
    // An answer of its own: while this waits, another reading may forget everything.
    const found = new Map<TopicId, TopicRef>();
    const missing: TopicId[] = [];
    for (const id of ids) {
      const topic = known.get(id);
      if (topic) found.set(id, topic);
      else missing.push(id);
    }
    if (missing.length === 0) return found;
    const { rows } = await sql<TopicRef & { id: TopicId }>`
      select id, kind, value from topics where id = any(${missing}::bigint[])`.execute(on);
    if (known.size + rows.length > limit) known.clear();
    for (const { id, kind, value } of rows) {
      known.set(id, { kind, value });
      found.set(id, { kind, value });
    }
    return found;
  };
}
