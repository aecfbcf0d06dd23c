import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '#src/config.ts';
import { isoDate } from '#src/database/ids.ts';
import { createManualClock } from '#src/digests/replay.ts';
import { completeReferences } from '#src/papers/complete-references.ts';
import type { ListingRecord, PaperRecord, SourceItem } from '#src/papers/paper.ts';
import type { SourceRequest } from '#src/papers/source.ts';
import { createSourceMemory } from '#src/papers/source-memory-store.ts';
import { createServices, type Services } from '#src/services.ts';
import { parseAddress } from '#src/subscribers/address.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

const clock = createManualClock(new Date('2026-06-03T12:00:00Z'));
const ON = isoDate('2026-06-03');
let db: TestDatabase;
let services: Services;
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
});
afterAll(() => db.destroy());

const listing = (paper: Omit<PaperRecord, 'abstract'>, source = 'arxiv'): ListingRecord => ({
  source,
  listedOn: ON,
  kind: 'new',
  section: '',
  observedAt: clock.now(),
  paper: { abstract: `We speak of ${paper.title} at length.`, ...paper },
});
async function chosenFor(email: string, ...references: string[]): Promise<string[]> {
  const parsed = parseAddress(email);
  if (parsed.type !== 'ok') throw new Error(email);
  const follows = references.map((value) => ({ kind: 'paper' as const, value, weight: 1 }));
  const line = { address: parsed.address, timezone: 'UTC', hour: 7, frequency: 'daily' as const, follows };
  const id = (await services.subscribers.addSubscribers([line], 'test')).added[0]?.id;
  const ids = (id && (await services.planner.preview(id))?.content.paperIds) ?? [];
  return (await services.papers.papersByIds(ids)).map(({ title }) => title);
}

it('a paper followed by any of its names stands for the one work', async () => {
  const others = Array.from({ length: 30 }, (_, at) =>
    listing({
      sourceId: `2606.002${at + 10}`,
      arxivId: `2606.002${at + 10}`,
      title: `Other subject ${at} of no kin`,
    }),
  );
  await services.papers.put([
    ...others,
    listing({ sourceId: 'first', title: 'Masked fern propagation in greenhouses' }, 'page'),
    listing({ sourceId: '2606.00050', arxivId: '2606.00050', title: 'Masked fern propagation outdoors' }),
  ]);
  await services.papers.put([
    listing({
      sourceId: '2606.00042',
      arxivId: '2606.00042',
      doi: '10.1234/fern.7',
      aliases: ['page:first'],
      title: 'Masked fern propagation in greenhouses',
    }),
  ]);
  for (const [at, reference] of ['arxiv:2606.00042', 'doi:10.1234/fern.7', 'page:first'].entries())
    expect(await chosenFor(`reader${at}@example.org`, reference)).toContain(
      'Masked fern propagation outdoors',
    );
  // A mute by another name bars the paper itself.
  const muted = 'doi:10.1234/fern.7';
  const edition = await services.editionIndex(ON, clock.now());
  const paper = await services.papers.paperByIdentifier('page:first');
  if (!paper) throw new Error('no paper');
  const profile = {
    follows: [{ kind: 'category' as const, value: 'cs.CL', weight: 1 }],
    mutes: [{ kind: 'paper' as const, value: muted, weight: -1 }],
    likes: [],
    dislikes: [],
    dial: 0,
    fillWithTrending: false,
    limit: 5,
  };
  expect(edition.index.explain(profile, new Set(), paper.id)).toMatchObject({ type: 'muted' });
});

it('a paper not known yet is fetched once a day until it is there, and is no news to others', async () => {
  await chosenFor('early@example.org', 'arxiv:1706.00042', 'doi:10.1234/unknown');
  const unknown = await services.topics.unknownPapers(10);
  expect(unknown.toSorted()).toEqual(['arxiv:1706.00042', 'doi:10.1234/unknown']);
  const requests: SourceRequest[] = [];
  let answers: SourceItem[] = [{ type: 'fault', fault: { where: 'arxiv', message: 'down' } }];
  const source = {
    name: 'arxiv',
    async *read(request: SourceRequest) {
      requests.push(request);
      yield* answers;
    },
  };
  const complete = async () =>
    completeReferences(
      {
        sources: new Map([['arxiv-ids', source]]),
        store: services.papers,
        memory: createSourceMemory(db),
        now: clock.now,
      },
      await services.topics.unknownPapers(10),
    );
  expect(await complete()).toMatchObject({ faultCount: 1, papers: 0 });
  expect(requests[0]?.ids).toEqual(['1706.00042']);
  expect(await complete()).toBeNull();

  clock.set(new Date('2026-06-04T13:00:00Z'));
  const record = {
    sourceId: '1706.00042',
    arxivId: '1706.00042',
    title: 'Masked fern propagation, the first',
  };
  const publishedAt = new Date('2017-06-01T00:00:00Z');
  answers = [{ type: 'listing', listing: listing({ ...record, publishedAt }) }];
  expect(await complete()).toMatchObject({ created: 1, faultCount: 0 });
  expect(await complete()).toBeNull();
  expect(requests).toHaveLength(2);
  const paper = await services.papers.paperByIdentifier('arxiv:1706.00042');
  expect(paper?.firstListedOn).toBe('2017-06-01');
  const edition = await services.editionIndex(ON, clock.now());
  expect(edition.ids).not.toContain(paper?.id);
  expect(await services.topics.unknownPapers(10)).toEqual(['doi:10.1234/unknown']);
  const { rows } = await sql<{ id: number }>`
    select f.subscriber_id as id from follows f join topics t on t.id = f.topic_id
    where t.value = 'arxiv:1706.00042'`.execute(db.database);
  const ids = (await services.planner.preview(rows[0]?.id as never))?.content.paperIds ?? [];
  const titles = (await services.papers.papersByIds(ids)).map(({ title }) => title);
  expect(titles).toContain('Masked fern propagation outdoors');
});
