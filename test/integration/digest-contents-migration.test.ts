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

test('content that lay in the rows of the ledger is kept, in every partition', async () => {
  const names = (await readdir(FOLDER)).filter((name) => name < THIS).sort();
  for (const name of names) await migrate(name);
  await sql`
    create table digests_2026_06 partition of digests for values from ('2026-06-01') to ('2026-07-01')`.execute(
    empty.database,
  );
  await sql`
    insert into digests (edition_date, subscriber_id, state, paper_ids, content, slot_at, due_at, deadline, finished_at)
    select edition::date, 1, state, '{7, 8}', content::jsonb, now(), now(), now(), finished
    from (values ('2026-06-05', 'unknown', '{"reasons": [[{"type": "trending"}], []], "candidates": 9, "had": 3}', now()),
                 ('2026-07-05', 'planned', '{}', null)) as v (edition, state, content, finished)`.execute(
    empty.database,
  );
  await migrate(THIS);
  const find = (date: string) => findDigest(empty.database, 1 as SubscriberId, isoDate(date));
  expect((await find('2026-06-05'))?.content).toEqual({
    paperIds: [7, 8],
    reasons: [[{ type: 'trending' }], []],
    candidates: 9,
    had: 3,
  });
  expect((await find('2026-07-05'))?.content).toEqual({ paperIds: [7, 8], reasons: [], candidates: 0 });
  const { rows } = await sql`
    select d.in_doubt, t.tableoid::regclass::text as part
    from digests d join digest_contents t on t.digest_id = d.id order by d.edition_date`.execute(
    empty.database,
  );
  expect(rows).toEqual([
    { in_doubt: true, part: 'digest_contents_2026_06' },
    { in_doubt: false, part: 'digest_contents_default' },
  ]);
});
