import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '#src/config.ts';
import { openDatabase } from '#src/database/database.ts';
import { isoDate, type SubscriberId } from '#src/database/ids.ts';
import { createManualClock } from '#src/digests/replay.ts';
import { ingest } from '#src/papers/ingest.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createServices, type Services } from '#src/services.ts';
import { parseAddress } from '#src/subscribers/address.ts';
import type { NewSubscriber } from '#src/subscribers/lines.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

const SECRET = 'a secret for tests, of thirty-two characters';
const clock = createManualClock(new Date('2026-06-01T00:00:00Z'));
let db: TestDatabase;
let services: Services;
const jobs: unknown[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  services = createServices({
    config: readConfig({}),
    database: db.database,
    secret: SECRET,
    baseUrl: 'http://papers.test',
    queue: { add: async (name, payload) => void jobs.push({ name, ...payload }) },
    now: clock.now,
  });
  await services.topics.syncCatalogue();
  const sample = createSources().get('sample');
  if (!sample) throw new Error('no sample');
  await ingest({ items: sample.read({ now: clock.now() }), store: services.papers });
});
afterAll(() => db.destroy());
beforeEach(async () => {
  await sql`truncate subscribers, digests, follows, editions cascade`.execute(db.database);
  clock.set(new Date('2026-06-01T00:00:00Z'));
  jobs.length = 0;
});

const reader = (email: string, more: Partial<NewSubscriber> = {}): NewSubscriber => {
  const parsed = parseAddress(email);
  if (parsed.type !== 'ok') throw new Error(email);
  return { address: parsed.address, timezone: 'UTC', hour: 7, frequency: 'daily', follows: [], ...more };
};
const add = async (...readers: NewSubscriber[]): Promise<SubscriberId[]> =>
  (await services.subscribers.addSubscribers(readers, 'test')).added.map(({ id }) => id);
const digests = () =>
  db.database
    .selectFrom('digests')
    .select(['subscriber_id', 'edition_date', 'kind', 'state', 'skip_reason', 'paper_ids'])
    .orderBy('edition_date')
    .orderBy('subscriber_id')
    .execute();
const planAt = async (instant: string) => {
  clock.set(new Date(instant));
  return services.planner.planDue();
};

describe('planning', () => {
  test('plans who is due, once; the next hour is tomorrow', async () => {
    await add(reader('a@example.org'), reader('b@example.org', { hour: 8 }));
    expect(await planAt('2026-06-01T07:00:00Z')).toEqual({ due: 1, planned: 1, skipped: {}, repeated: 0 });
    expect(await planAt('2026-06-01T07:00:30Z')).toMatchObject({ due: 0 });
    const [row] = await digests();
    expect(row).toMatchObject({ edition_date: '2026-06-01', kind: 'daily', state: 'planned' });
    expect(row?.paper_ids.length).toBe(10);
    expect(jobs).toHaveLength(1);
    const next = await db.database
      .selectFrom('schedules')
      .select('next_digest_at')
      .orderBy('subscriber_id')
      .execute();
    expect(next.map((one) => one.next_digest_at)).toEqual([
      new Date('2026-06-02T07:00:00Z'),
      new Date('2026-06-01T08:00:00Z'),
    ]);
  });

  test('notes how many candidates the reader had already, and what the sources had brought', async () => {
    const [id = 0 as SubscriberId] = await add(reader('a@example.org'));
    await planAt('2026-06-01T07:00:00Z');
    await planAt('2026-06-02T07:00:00Z');
    const archive = await services.webDependencies.archive(id, 10);
    const first = archive[1]?.paperIds ?? [];
    const edition = await services.editions.find(isoDate('2026-06-02'));
    const had = first.filter((paper) => edition?.candidates.includes(paper)).length;
    expect(had).toBeGreaterThan(0);
    expect(archive.map((digest) => digest.had)).toEqual([had, 0]);
    expect(edition?.coverage?.map(({ source, state }) => `${source} ${state}`)).toContain(
      'huggingface waiting',
    );
    expect(archive[0]?.coverage).toMatchObject({ fresh: [], quiet: [] });

    // Nothing ever comes for that day: the edition says so in the end, until it is frozen.
    const stateNoted = async () =>
      (await services.editions.find(isoDate('2026-06-02')))?.coverage?.find(
        ({ source }) => source === 'huggingface',
      )?.state;
    await services.noteCoverage(new Date('2026-06-02T13:00:00Z'));
    expect(await stateNoted()).toBe('late');
    await services.editions.freezeBefore(isoDate('2026-06-03'), clock.now());
    await services.noteCoverage(new Date('2026-06-02T08:00:00Z'));
    expect(await stateNoted()).toBe('late');
  });

  test('four planners at once make one digest for each of 1,300 readers', async () => {
    await add(...Array.from({ length: 1300 }, (_, i) => reader(`reader${i}@example.org`)));
    clock.set(new Date('2026-06-01T07:00:00Z'));
    const reports = await Promise.all(Array.from({ length: 4 }, () => services.planner.planDue()));
    expect(reports.reduce((sum, report) => sum + report.planned, 0)).toBe(1300);
    const rows = await digests();
    expect(new Set(rows.map((row) => row.subscriber_id)).size).toBe(1300);
    expect(rows).toHaveLength(1300);
  });

  test('planners, and readers who are planned for at once, never wait for each other in a ring', async () => {
    const ids = await add(...Array.from({ length: 40 }, (_, i) => reader(`reader${i}@example.org`)));
    clock.set(new Date('2026-06-01T07:00:00Z'));
    let alone = 0;
    const oneByOne = async () => {
      for (const id of ids.toReversed()) if ((await services.planner.planNow(id)) === 'planned') alone += 1;
    };
    const beats = await Promise.all([
      services.planner.planDue(),
      services.planner.planDue(),
      oneByOne(),
    ]).then(([one, two]) => [one, two]);
    expect(beats.reduce((sum, report) => sum + report.planned, alone)).toBe(40);
    expect(await digests()).toHaveLength(40);
    const next = await db.database.selectFrom('schedules').select('next_digest_at').distinct().execute();
    expect(next.map((row) => row.next_digest_at)).toEqual([new Date('2026-06-02T07:00:00Z')]);
  });

  test('a batch that fails leaves nothing behind, and is planned by the next beat', async () => {
    const [id] = await add(reader('a@example.org'));
    clock.set(new Date('2026-06-01T07:00:00Z'));
    await sql`create function refuse() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`.execute(
      db.database,
    );
    await sql`create trigger refuse before update on schedules for each row execute function refuse()`.execute(
      db.database,
    );
    await expect(services.planner.planDue()).rejects.toThrow('disk full');
    await sql`drop trigger refuse on schedules`.execute(db.database);
    expect(await digests()).toEqual([]);
    expect(jobs).toEqual([]);
    expect(await services.planner.planDue()).toMatchObject({ planned: 1 });
    expect((await digests())[0]?.subscriber_id).toBe(id);
  });

  test('after days of silence there is one digest, of the last date', async () => {
    await add(reader('a@example.org'));
    expect(await planAt('2026-06-05T09:30:00Z')).toMatchObject({ due: 1, planned: 1 });
    expect((await digests()).map((row) => row.edition_date)).toEqual(['2026-06-05']);
    expect(await planAt('2026-06-06T06:59:00Z')).toMatchObject({ due: 0 });
  });

  test('a paper never comes twice; when nothing is left the digest is skipped, or says so where that is wished', async () => {
    const [quiet, told] = await add(reader('quiet@example.org'), reader('told@example.org'));
    await db.database
      .updateTable('subscribers')
      .set({ tell_nothing_today: true })
      .where('id', '=', told as number)
      .execute();
    for (let day = 1; day <= 7; day++) {
      await planAt(`2026-06-0${day}T07:00:00Z`);
      await db.database
        .updateTable('digests')
        .set({ state: 'sent' })
        .where('state', '=', 'planned')
        .execute();
    }
    const rows = await digests();
    for (const id of [quiet, told]) {
      const seen = rows.filter((row) => row.subscriber_id === id).flatMap((row) => row.paper_ids);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBe(60);
    }
    const last = rows.filter((row) => row.edition_date === '2026-06-07');
    expect(last.map(({ kind, state, skip_reason }) => ({ kind, state, skip_reason }))).toEqual([
      { kind: 'daily', state: 'skipped', skip_reason: 'no-papers' },
      { kind: 'nothing', state: 'sent', skip_reason: null },
    ]);
  });

  test('what failed for good was not seen: its papers come again', async () => {
    await add(reader('a@example.org'));
    await planAt('2026-06-01T07:00:00Z');
    const [first] = await digests();
    await db.database.updateTable('digests').set({ state: 'failed' }).execute();
    await planAt('2026-06-02T07:00:00Z');
    const second = (await digests())[1];
    expect(second?.paper_ids.filter((id) => first?.paper_ids.includes(id)).length).toBeGreaterThan(0);
  });

  test('the edition is the date where the reader lives', async () => {
    await add(
      reader('east@example.org', { timezone: 'Pacific/Kiritimati', hour: 7 }),
      reader('west@example.org', { timezone: 'Pacific/Pago_Pago', hour: 6 }),
    );
    await planAt('2026-06-01T17:00:00Z');
    expect((await digests()).map((row) => row.edition_date)).toEqual(['2026-06-01', '2026-06-02']);
  });

  test('one planned by hand is the digest of the day; the next comes tomorrow', async () => {
    const [id = 0 as SubscriberId] = await add(reader('a@example.org', { hour: 20 }));
    clock.set(new Date('2026-06-01T10:00:00Z'));
    expect(await services.planner.planNow(id)).toBe('planned');
    expect(await services.planner.planNow(id)).toBe('already');
    expect(await planAt('2026-06-01T20:00:00Z')).toMatchObject({ due: 0 });
    expect(await planAt('2026-06-02T20:00:00Z')).toMatchObject({ due: 1, planned: 1 });
  });

  test('more readers than the pool has connections are planned by hand at once', async () => {
    const database = openDatabase(db.url, { max: 2, limits: { often: 5_000, other: 5_000, idle: 60_000 } });
    onTestFinished(() => database.destroy());
    const small = createServices({
      config: readConfig({}),
      database,
      secret: SECRET,
      baseUrl: 'http://papers.test',
      queue: { add: async () => undefined },
      now: clock.now,
    });
    const ids = await add(...['a', 'b', 'c', 'd'].map((name) => reader(`${name}@example.org`)));
    await planAt('2026-05-31T00:00:00Z');
    clock.set(new Date('2026-06-01T10:00:00Z'));
    const [report, ...planned] = await Promise.all([
      small.planner.planDue(),
      ...ids.map((id) => small.planner.planNow(id)),
      small.planner.preview(ids[0] as SubscriberId),
    ]);
    expect(report).toMatchObject({ due: 4, planned: 4 });
    expect(planned.slice(0, 4)).toEqual(['already', 'already', 'already', 'already']);
  });

  test('a preview writes nothing', async () => {
    const [id = 0 as SubscriberId] = await add(reader('a@example.org'));
    const planned = await services.planner.preview(id);
    expect(planned?.content.paperIds).toHaveLength(10);
    expect(planned?.content.reasons.every((reasons) => reasons.length > 0)).toBe(true);
    expect(await digests()).toEqual([]);
  });
});

test('digests wait for a late source as long as patience lasts, and no longer', async () => {
  const patient = createServices({
    config: readConfig({ SOURCES: 'arxiv', ARXIV_CATEGORIES: 'cs.CL', SOURCE_PATIENCE_MINUTES: '90' }),
    database: db.database,
    secret: SECRET,
    baseUrl: 'http://papers.test',
    queue: { add: async () => undefined },
    now: clock.now,
  });
  await add(reader('a@example.org'));
  // A Tuesday: arXiv's list of the day is due since midnight UTC and has not come.
  clock.set(new Date('2026-06-02T07:00:00Z'));
  await sql`update schedules set next_digest_at = ${clock.now()}`.execute(db.database);
  expect(await patient.planner.planDue()).toMatchObject({ due: 0 });
  clock.set(new Date('2026-06-02T08:29:00Z'));
  expect(await patient.planner.planDue()).toMatchObject({ due: 0 });
  clock.set(new Date('2026-06-02T08:30:00Z'));
  expect(await patient.planner.planDue()).toMatchObject({ due: 1, planned: 1 });
  const [row] = await digests();
  expect(row?.edition_date).toBe('2026-06-02');
});
