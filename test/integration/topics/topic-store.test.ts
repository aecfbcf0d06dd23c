import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SubscriberId, TopicId } from '#src/database/ids.ts';
import { ARXIV_CATEGORIES, CATALOGUE } from '#src/topics/catalogue.ts';
import { topicKey } from '#src/topics/parse-topic.ts';
import { createTopicReader } from '#src/topics/topic-reader-store.ts';
import { createTopicStore, type TopicStore } from '#src/topics/topic-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let test: TestDatabase;
let store: TopicStore;
let ada: SubscriberId;
let bob: SubscriberId;

beforeAll(async () => {
  test = await createTestDatabase();
  store = createTopicStore(test);
  await store.syncCatalogue();
  const { rows } = await sql<{ id: SubscriberId }>`
    insert into subscribers (email, state) values ('a@example.org', 'active'), ('b@example.org', 'active')
    returning id`.execute(test.database);
  [ada, bob] = rows.map(({ id }) => id) as [SubscriberId, SubscriberId];
});
afterAll(() => test.destroy());

describe('the topic store', () => {
  it('seeds the catalogue once, and keeps what a curator edited', async () => {
    await sql`update topics set name = 'Mine', definition = definition || '{"edited": true}'
      where kind = 'topic' and value = 'diffusion-models'`.execute(test.database);
    await store.syncCatalogue();
    const catalogue = await store.catalogue();
    expect(catalogue).toHaveLength(CATALOGUE.length);
    expect(catalogue.find(({ slug }) => slug === 'diffusion-models')?.name).toBe('Mine');
    const original = CATALOGUE.find(({ slug }) => slug === 'speech-audio');
    expect(catalogue.find(({ slug }) => slug === 'speech-audio')).toEqual(original);
    const { rows } = await sql`select 1 from topics where kind = 'category'`.execute(test.database);
    expect(rows.length).toBeGreaterThan(ARXIV_CATEGORIES.length);
  });

  it('makes query rows, but no catalogue topics', async () => {
    const ids = await store.resolve([
      { kind: 'query', value: 'cold atoms' },
      { kind: 'query', value: 'cold atoms' },
      { kind: 'topic', value: 'no-such-topic' },
      { kind: 'category', value: 'cs.CL' },
    ]);
    expect([...ids.keys()].toSorted()).toEqual(['category:cs.CL', 'query:cold atoms']);
    expect(await store.resolve([{ kind: 'query', value: 'cold atoms' }])).toEqual(
      new Map([['query:cold atoms', ids.get('query:cold atoms')]]),
    );
  });

  it('replaces, adds, mutes, removes, and reads many subscribers at once', async () => {
    await test.database.transaction().execute((transaction) =>
      store.replaceFollows(
        ada,
        [
          { kind: 'topic', value: 'diffusion-models', weight: 2 },
          { kind: 'author', value: 'Ada Lovelace', weight: 1 },
          { kind: 'category', value: 'cs.CV', weight: -1 },
        ],
        transaction,
      ),
    );
    expect(await store.setFollow(bob, { kind: 'trending', value: '', weight: 1 })).toBe(true);
    expect(await store.setFollow(bob, { kind: 'topic', value: 'gone', weight: 1 })).toBe(false);
    const both = await store.followsOf([ada, bob]);
    expect(both.get(ada)).toEqual({
      follows: [
        { kind: 'topic', value: 'diffusion-models', weight: 2 },
        { kind: 'author', value: 'Ada Lovelace', weight: 1 },
      ],
      mutes: [{ kind: 'category', value: 'cs.CV', weight: -1 }],
    });
    expect(both.get(bob)).toEqual({ follows: [{ kind: 'trending', value: '', weight: 1 }], mutes: [] });

    await store.setFollow(ada, { kind: 'author', value: 'Ada Lovelace', weight: -1 });
    expect((await store.followsOf([ada])).get(ada)?.mutes).toHaveLength(2);
    expect(await store.removeFollow(ada, { kind: 'author', value: 'Ada Lovelace' })).toBe(true);
    expect(await store.removeFollow(ada, { kind: 'author', value: 'Ada Lovelace' })).toBe(false);
    await store.replaceFollows(ada, [], test.database);
    expect((await store.followsOf([ada])).get(ada)).toEqual({ follows: [], mutes: [] });
  });

  it('survives two transactions that make the same topics in opposite order', async () => {
    const refs = Array.from({ length: 40 }, (_, index) => ({
      kind: 'query' as const,
      value: `words ${index}`,
    }));
    await Promise.all(
      [refs, refs.toReversed()].map((given) =>
        test.database.transaction().execute((transaction) => store.resolve(given, transaction)),
      ),
    );
    expect((await store.resolve(refs)).size).toBe(40);
  });
});

it('reads topics for two at once, though it forgets between', async () => {
  const refs = ['one', 'two', 'three'].map((value) => ({ kind: 'query', value }) as const);
  const rows = await store.resolve(refs);
  const ids = refs.map((ref) => rows.get(topicKey(ref)) as TopicId);
  const read = createTopicReader(2);
  const first = new Set(ids.slice(0, 2));
  await read(first, test.database);
  // Both have something in memory; the second makes it forget while the first waits.
  const [all, last] = await Promise.all([
    read(new Set(ids), test.database),
    read(new Set(ids.slice(1)), test.database),
  ]);
  expect(new Set(all.keys())).toEqual(new Set(ids));
  expect(last.get(ids[2] as TopicId)).toEqual(refs[2]);
  expect((await read(first, test.database)).size).toBe(2);
});
