import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '#src/config.ts';
import type { PaperId, SubscriberId } from '#src/database/ids.ts';
import { createManualClock } from '#src/digests/replay.ts';
import { ingest } from '#src/papers/ingest.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createServices, type Services } from '#src/services.ts';
import { parseAddress } from '#src/subscribers/address.ts';
import { findSubscriber } from '#src/subscribers/subscriber-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

const clock = createManualClock(new Date('2026-06-01T00:00:00Z'));
const VISIT = { ip: null, userAgent: null };
let db: TestDatabase;
let services: Services;
let reader: SubscriberId;
let publicId: string;

beforeAll(async () => {
  db = await createTestDatabase();
  services = createServices({
    config: readConfig({}),
    database: db.database,
    secret: 'a secret for tests, of thirty-two characters',
    baseUrl: 'http://papers.test',
    queue: { add: async () => undefined },
    now: clock.now,
  });
  await services.topics.syncCatalogue();
  const sample = createSources().get('sample');
  if (!sample) throw new Error('no sample');
  await ingest({ items: sample.read({ now: clock.now() }), store: services.papers });
});
afterAll(() => db.destroy());
beforeEach(async () => {
  await sql`truncate subscribers, digests, follows, feedback, editions cascade`.execute(db.database);
  clock.set(new Date('2026-06-01T00:00:00Z'));
  const parsed = parseAddress('ada@example.org');
  if (parsed.type !== 'ok') throw new Error('no address');
  const line = {
    address: parsed.address,
    timezone: 'UTC',
    hour: 7,
    frequency: 'daily' as const,
    follows: [],
  };
  reader = (await services.subscribers.addSubscribers([line], 'test')).added[0]?.id as SubscriberId;
  publicId = (await findSubscriber(db.database, { id: reader }))?.publicId ?? '';
});

const wish = (reminders: boolean) =>
  services.subscribers.updatePreferences({ publicId }, { preferences: { reminders } }, VISIT);
const planOn = async (day: string) => {
  clock.set(new Date(`${day}T07:00:00Z`));
  await services.planner.planDue();
  await sql`update digests set state = 'sent' where state = 'planned'`.execute(db.database);
};
/** Papers of each date's digest, the latest last, with what kind of reasons brought them. */
const digests = async () => (await services.webDependencies.archive(reader, 50)).toReversed();
const times = async (paper: PaperId) =>
  (await digests()).filter(({ paperIds }) => paperIds.includes(paper)).map(({ date }) => date);

/** Gets a first digest and puts its first paper aside. */
async function putOneAside(): Promise<PaperId> {
  await planOn('2026-06-01');
  const paper = (await digests())[0]?.paperIds[0] as PaperId;
  await services.subscribers.giveFeedback({ publicId }, paper, 'not_now', VISIT);
  return paper;
}
const FORTNIGHT = Array.from({ length: 15 }, (_, day) => `2026-06-${String(day + 2).padStart(2, '0')}`);

describe('a paper put aside', () => {
  test('comes again once after a week, with its reason, where the reader wishes it', async () => {
    await wish(true);
    const paper = await putOneAside();
    for (const day of FORTNIGHT) await planOn(day);
    expect(await times(paper)).toEqual(['2026-06-01', '2026-06-08']);
  });

  test('never comes again where the reader does not', async () => {
    const paper = await putOneAside();
    for (const day of FORTNIGHT) await planOn(day);
    expect(await times(paper)).toEqual(['2026-06-01']);
  });

  test.each([
    ['withdrawn', (id: PaperId) => sql`update papers set withdrawn_at = now() where id = ${id}`],
    ['marked otherwise', (id: PaperId) => sql`update feedback set verdict = 'less' where paper_id = ${id}`],
    ['forgotten', (id: PaperId) => sql`delete from feedback where paper_id = ${id}`],
  ])('does not come again when it is %s meanwhile', async (_, change) => {
    await wish(true);
    const paper = await putOneAside();
    await change(paper).execute(db.database);
    for (const day of FORTNIGHT.slice(0, 9)) await planOn(day);
    expect(await times(paper)).toEqual(['2026-06-01']);
    await sql`update papers set withdrawn_at = null`.execute(db.database);
  });

  test('does not come again when its author is muted meanwhile', async () => {
    await wish(true);
    const paper = await putOneAside();
    const author = (await services.papers.papersByIds([paper]))[0]?.authors[0] ?? '';
    await services.subscribers.changeTopic({ publicId }, { kind: 'author', value: author }, 'mute', VISIT);
    for (const day of FORTNIGHT.slice(0, 9)) await planOn(day);
    expect(await times(paper)).toEqual(['2026-06-01']);
  });

  test('is not chosen although no digest brought it: it may have been marked on a page', async () => {
    const planned = await services.planner.preview(reader);
    const paper = planned?.content.paperIds[0] as PaperId;
    await services.subscribers.giveFeedback({ publicId }, paper, 'not_now', VISIT);
    expect((await services.planner.preview(reader))?.content.paperIds).not.toContain(paper);
  });

  test('is shown by previews, which do not use the reminder up, and is in the export', async () => {
    await wish(true);
    const paper = await putOneAside();
    clock.set(new Date('2026-06-08T08:00:00Z'));
    for (const _ of [1, 2]) {
      const content = (await services.planner.preview(reader))?.content;
      const place = content?.paperIds.indexOf(paper) ?? -1;
      expect(content?.reasons[place]).toEqual([{ type: 'reminder', on: '2026-06-01', weight: 0 }]);
    }
    const subscriber = await findSubscriber(db.database, { id: reader });
    if (!subscriber) throw new Error('no reader');
    const page = await services.webDependencies.preview.preview(reader, {
      preferences: subscriber,
      follows: [],
    });
    expect(page.papers.find(({ id }) => id === paper)?.reasons).toEqual([
      { type: 'reminder', on: '2026-06-01', weight: 0 },
    ]);
    const exported = await services.subscribers.exportReader({ publicId });
    expect(exported).toMatchObject({
      data: {
        subscriber: { reminders: true },
        feedback: [{ verdict: 'not_now', paper: expect.stringMatching(/:/), remindedAt: null }],
      },
    });
  });
});
