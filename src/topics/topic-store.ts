import { sql } from 'kysely';
import { bigints, PREPARED } from '#src/database/columns.ts';
import type { Database, Queryable } from '#src/database/database.ts';
import type { SubscriberId, TopicId } from '#src/database/ids.ts';
import { ARXIV_ARCHIVES, ARXIV_CATEGORIES, CATALOGUE, topicName } from './catalogue.ts';
import { topicKey } from './parse-topic.ts';
import type { CatalogueTopic, Follow, TopicKind, TopicRef } from './topic.ts';
import { createTopicReader, type TopicReader } from './topic-reader-store.ts';

/** What one subscriber follows and mutes; mutes keep their negative weight. */
export type Follows = { readonly follows: readonly Follow[]; readonly mutes: readonly Follow[] };

/** Most follows and mutes of one subscriber together. */
export const FOLLOWS_LIMIT = 500;

/** The topic store: all SQL about `topics` and `follows`. */
export type TopicStore = ReturnType<typeof createTopicStore>;

type Definition = { triggers?: readonly string[]; titleTriggers?: readonly string[]; edited?: boolean };

/**
 * Stores topics and who follows them. Every {@link TopicRef} given to it must be canonical (`parseTopic`).
 * Methods that write take a {@link Queryable}, so that the use case decides what is atomic.
 */
export function createTopicStore({ database }: { readonly database: Database }) {
  const topicsOf = createTopicReader();
  return {
    /** Writes the built-in catalogue and the arXiv categories; rows that a curator edited stay as they are. */
    syncCatalogue: () => syncCatalogue(database),

    /** The catalogue in force, hidden topics left out, by group and name. */
    catalogue: () => readCatalogue(database),

    /**
     * The rows of topics, made where they are missing, by {@link topicKey}. A catalogue topic is never made
     * here: one that does not exist is missing in the answer.
     */
    resolve: (refs: readonly TopicRef[], on: Queryable = database) => resolve(refs, on),

    /** Follows and mutes of many subscribers in one query; who has none has empty lists. Heaviest first, then oldest. */
    followsOf: (ids: readonly SubscriberId[], on: Queryable = database) => followsOf(ids, on, topicsOf),

    /** Queries that active readers follow or mute, each once, the oldest first. */
    followedQueries: (limit: number): Promise<string[]> => followedQueries(database, limit),

    /** Followed papers that are not known yet, the latest first: identifiers such as `arxiv:2606.01234`. */
    unknownPapers: (limit: number): Promise<string[]> => unknownPapers(database, limit),

    /** Replaces everything a subscriber follows and mutes. Give at most {@link FOLLOWS_LIMIT}; the last of a repeated topic counts. */
    replaceFollows: async (subscriber: SubscriberId, follows: readonly Follow[], on: Queryable) => {
      await on.deleteFrom('follows').where('subscriber_id', '=', subscriber).execute();
      await writeFollows(subscriber, follows, on);
    },

    /** Adds a follow, or changes its weight; a negative weight mutes. Answers whether the topic exists. */
    setFollow: async (subscriber: SubscriberId, follow: Follow, on: Queryable = database) =>
      (await writeFollows(subscriber, [follow], on)) === 1,

    /** Removes a follow or mute. Answers whether there was one. */
    removeFollow: (subscriber: SubscriberId, topic: TopicRef, on: Queryable = database) =>
      removeFollow(subscriber, topic, on),
  };
}

async function syncCatalogue(database: Database): Promise<void> {
  const rows = [
    ...CATALOGUE.map((topic) => ({
      kind: 'topic',
      value: topic.slug,
      name: topic.name,
      description: topic.description,
      topic_group: topic.group,
      definition: JSON.stringify({ triggers: topic.triggers, titleTriggers: topic.titleTriggers }),
    })),
    ...ARXIV_CATEGORIES.map(({ code, name, description }) => categoryRow(code, name, description)),
    ...ARXIV_ARCHIVES.map((archive) => categoryRow(`${archive}.*`, `All of ${archive}`, '')),
    {
      ...categoryRow('', topicName({ kind: 'trending', value: '' }), ''),
      kind: 'trending',
      topic_group: null,
    },
  ];
  await database
    .insertInto('topics')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['kind', 'value'])
        .doUpdateSet((expression) => ({
          name: expression.ref('excluded.name'),
          description: expression.ref('excluded.description'),
          topic_group: expression.ref('excluded.topic_group'),
          definition: expression.ref('excluded.definition'),
        }))
        .where(sql<boolean>`not (topics.definition ? 'edited')`),
    )
    .execute();
}

function categoryRow(code: string, name: string, description: string) {
  return {
    kind: 'category',
    value: code,
    name,
    description,
    topic_group: code.split('.')[0] ?? null,
    definition: '{}',
  };
}

async function readCatalogue(database: Database): Promise<CatalogueTopic[]> {
  const rows = await database
    .selectFrom('topics')
    .select(['value', 'name', 'description', 'topic_group', 'definition'])
    .where('kind', '=', 'topic')
    .where('hidden', '=', false)
    .orderBy('topic_group')
    .orderBy('name')
    .execute();
  return rows.map((row) => {
    const definition = row.definition as Definition;
    return {
      slug: row.value,
      name: row.name,
      description: row.description,
      group: row.topic_group ?? '',
      triggers: definition.triggers ?? [],
      titleTriggers: definition.titleTriggers ?? [],
    };
  });
}

async function resolve(refs: readonly TopicRef[], on: Queryable): Promise<Map<string, TopicId>> {
  if (refs.length === 0) return new Map();
  // In one order everywhere: two transactions that make the same topics then can't wait for each other.
  const unique = [...new Map(refs.map((ref) => [topicKey(ref), ref])).entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ref]) => ref);
  const made = unique.filter(({ kind }) => kind !== 'topic');
  if (made.length > 0)
    await sql`
      insert into topics (kind, value, name)
      select kind, value, name
      from unnest(${made.map(({ kind }) => kind)}::text[], ${made.map(({ value }) => value)}::text[],
                  ${made.map(topicName)}::text[]) as given (kind, value, name)
      order by kind, value
      on conflict (kind, value) do nothing`.execute(on);
  const { rows } = await sql<{ id: TopicId; kind: TopicKind; value: string }>`
    select id, kind, value from topics
    where (kind, value) in (
      select * from unnest(${unique.map(({ kind }) => kind)}::text[], ${unique.map(({ value }) => value)}::text[]))
  `.execute(on);
  return new Map(rows.map((row) => [topicKey(row), row.id]));
}

async function writeFollows(
  subscriber: SubscriberId,
  follows: readonly Follow[],
  on: Queryable,
): Promise<number> {
  const ids = await resolve(follows, on);
  const weights = new Map<TopicId, number>();
  for (const follow of follows) {
    const id = ids.get(topicKey(follow));
    if (id !== undefined) weights.set(id, follow.weight);
  }
  if (weights.size === 0) return 0;
  await sql`
    insert into follows (subscriber_id, topic_id, weight)
    select ${subscriber}, topic_id, weight
    from unnest(${[...weights.keys()]}::bigint[], ${[...weights.values()]}::real[]) as given (topic_id, weight)
    on conflict (subscriber_id, topic_id) do update set weight = excluded.weight`.execute(on);
  return weights.size;
}

async function removeFollow(subscriber: SubscriberId, topic: TopicRef, on: Queryable): Promise<boolean> {
  const result = await on
    .deleteFrom('follows')
    .where('subscriber_id', '=', subscriber)
    .where('topic_id', 'in', (query) =>
      query.selectFrom('topics').select('id').where('kind', '=', topic.kind).where('value', '=', topic.value),
    )
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

async function followsOf(
  ids: readonly SubscriberId[],
  on: Queryable,
  topicsOf: TopicReader,
): Promise<Map<SubscriberId, { follows: Follow[]; mutes: Follow[] }>> {
  const found = new Map(ids.map((id) => [id, { follows: [] as Follow[], mutes: [] as Follow[] }]));
  if (ids.length === 0) return found;
  // One row a reader: a row for each follow, with its topic written out, takes the driver three times as long.
  const { rows } = await sql<{ subscriber: SubscriberId; topics: TopicId[]; weights: number[] }>`${PREPARED}
    select subscriber_id as subscriber, array_agg(topic_id order by abs(weight) desc, created_at, topic_id) as topics,
      array_agg(weight order by abs(weight) desc, created_at, topic_id) as weights
    from follows where subscriber_id = any(${bigints(ids)}) group by 1`.execute(on);
  const refs = await topicsOf(new Set(rows.flatMap(({ topics }) => topics)), on);
  for (const { subscriber, topics, weights } of rows) {
    const own = found.get(subscriber);
    topics.forEach((id, at) => {
      const weight = weights[at] as number;
      const { kind, value } = refs.get(id) as TopicRef;
      (weight < 0 ? own?.mutes : own?.follows)?.push({ kind, value, weight });
    });
  }
  return found;
}

async function followedQueries(database: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ value: string }>`
    select value from topics
    where kind = 'query' and exists (
      select from follows join subscribers on subscribers.id = follows.subscriber_id
      where follows.topic_id = topics.id and subscribers.state = 'active')
    order by id limit ${limit}`.execute(database);
  return rows.map(({ value }) => value);
}

async function unknownPapers(database: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ value: string }>`
    select value from topics
    where kind = 'paper' and not exists (select from paper_identifiers where identifier = topics.value)
      and exists (
        select from follows join subscribers on subscribers.id = follows.subscriber_id
        where follows.topic_id = topics.id and subscribers.state = 'active')
    order by id desc limit ${limit}`.execute(database);
  return rows.map(({ value }) => value);
}
