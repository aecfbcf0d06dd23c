import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isoDate, type SubscriberId } from '#src/database/ids.ts';
import { findDigest } from '#src/digests/digest-view-store.ts';
import { createEmptyDatabase, type TestDatabase } from '#test/support/database.ts';

const FOLDER = join(import.meta.dirname, '../../migrations');
const THIS = '2026-11-21-06-digest-contents.ts';

let empty: TestDatabase;
beforeAll(async () => {
  empty = await createEmptyDatabase();
});
afterAll(() => empty.destroy());

const migrate = async (name: string) => {
  const { up } = (await import(join(FOLDER, name))) as { up(db: unknown): Promise<void> };
  await empty.database.transaction().execute((tx) => up(tx as unknown as Kysely<unknown>));
};

test('what lay in the rows of the ledger and of readers is kept, in every partition and block', async () => {
  const names = (await readdir(FOLDER)).sort();
  for (const name of names.filter((name) => name < THIS)) await migrate(name);
  await sql`
    create table digests_2026_06 partition of digests for values from ('2026-06-01') to ('2026-07-01')`.execute(
    empty.database,
  );
  await sql`
    insert into digests (id, edition_date, subscriber_id, state, paper_ids, content, slot_at, due_at, deadline, finished_at)
    select id, edition::date, 1, state, '{7, 8}', content::jsonb, now(), now(), now(), finished
    from (values
      (7, '2026-06-05', 'unknown', '{"reasons": [[{"type": "trending"}], []], "candidates": 9, "had": 3}', now()),
      (8, '2026-07-05', 'planned', '{}', null),
      (499, '2026-06-06', 'planned', '{"reasons": [[{"type": "first"}]]}', null),
      (500, '2026-06-07', 'planned', '{"reasons": [[{"type": "second"}]]}', null)
    ) as v (id, edition, state, content, finished)`.execute(empty.database);
  await sql`
    insert into subscribers (id, email, email_key, state, next_digest_at) overriding system value
    values (1, 'a@example.org', 'a@example.org', 'active', '2026-06-08T07:00Z'),
           (2, 'b@example.org', 'b@example.org', 'paused', null)`.execute(empty.database);
  await sql`
    update digests set reply = '550 5.1.1 <a.b+c@example.org> "x y"@example.org: unknown' where id = 7`.execute(
    empty.database,
  );
  await sql`select setval('digest_ids', 500)`.execute(empty.database);
  for (const name of names.filter((name) => name >= THIS)) await migrate(name);
  const find = (date: string) => findDigest(empty.database, 1 as SubscriberId, isoDate(date));
  expect((await find('2026-06-05'))?.content).toEqual({
    paperIds: [7, 8],
    reasons: [[{ type: 'trending' }], []],
    candidates: 9,
    had: 3,
  });
  expect((await find('2026-07-05'))?.content).toEqual({ paperIds: [7, 8], reasons: [], candidates: 0 });
  expect((await find('2026-06-06'))?.content.reasons).toEqual([[{ type: 'first' }]]);
  expect((await find('2026-06-07'))?.content.reasons).toEqual([[{ type: 'second' }]]);
  const { rows } = await sql`
    select d.in_doubt, t.tableoid::regclass::text as part
    from digests d join digest_contents t on t.first_id = d.id - d.id % 500 and t.edition_date = d.edition_date
    where d.id in (7, 8) order by d.id`.execute(empty.database);
  expect(rows).toEqual([
    { in_doubt: true, part: 'digest_contents_2026_06' },
    { in_doubt: false, part: 'digest_contents_default' },
  ]);
  const { rows: replies } = await sql`select reply from digests where id = 7`.execute(empty.database);
  expect(replies).toEqual([{ reply: '550 5.1.1 <…> …: unknown' }]);
  const schedules = await sql`select * from schedules`.execute(empty.database);
  expect(schedules.rows).toEqual([{ subscriber_id: 1, next_digest_at: new Date('2026-06-08T07:00Z') }]);
  const next = await sql`select nextval('digest_ids') as id`.execute(empty.database);
  expect(next.rows).toEqual([{ id: 1000 }]);
});
