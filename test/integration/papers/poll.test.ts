import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import type { SourceItem } from '#src/papers/paper.ts';
import { createPaperStore, type PaperStore } from '#src/papers/paper-store.ts';
import { type PollDeps, pollSource, sourceStatuses } from '#src/papers/poll.ts';
import type { SourceRequest } from '#src/papers/source.ts';
import { createSourceMemory } from '#src/papers/source-memory-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

let test: TestDatabase;
let store: PaperStore;
let clock = new Date('2026-06-02T13:00:00Z');
let items: SourceItem[] = [];
let crash: Error | undefined;
const requests: SourceRequest[] = [];
beforeAll(async () => {
  test = await createTestDatabase();
  store = createPaperStore(test);
});
afterAll(() => test.destroy());
beforeEach(async () => {
  requests.length = 0;
  crash = undefined;
  await sql`truncate papers, settings cascade`.execute(test.database);
});

const source = {
  name: 'huggingface',
  async *read(request: SourceRequest) {
    requests.push(request);
    yield* items;
    if (crash) throw crash;
  },
};
const deps = (): PollDeps => ({
  sources: new Map([['huggingface', source]]),
  store,
  memory: createSourceMemory(test),
  now: () => clock,
});
const listing = (id: string, on: string): SourceItem => ({
  type: 'listing',
  listing: {
    source: 'huggingface',
    listedOn: isoDate(on),
    kind: 'daily',
    section: '',
    observedAt: clock,
    paper: { sourceId: id, arxivId: id, title: 'T', abstract: 'A' },
  },
});
const status = async () => (await sourceStatuses(deps(), ['huggingface']))[0];

it('tells how a source is: never tried, well, failing, stale', async () => {
  expect(await status()).toMatchObject({
    state: 'never',
    lagHours: null,
    succeededAt: null,
    expectedListedOn: '2026-06-02',
  });
  items = [listing('2606.00001', '2026-06-02')];
  expect(await pollSource(deps(), 'huggingface')).toMatchObject({ type: 'polled', report: { created: 1 } });
  expect(await status()).toMatchObject({
    state: 'ok',
    lagHours: 0,
    newestListedOn: '2026-06-02',
    created: 1,
    failures: 0,
  });

  clock = new Date('2026-06-03T01:00:00Z');
  items = [{ type: 'fault', fault: { where: 'x', message: 'status 503' } }];
  await pollSource(deps(), 'huggingface');
  await pollSource(deps(), 'huggingface');
  expect(await status()).toMatchObject({
    state: 'failing',
    failures: 2,
    lagHours: 12,
    faults: [{ message: 'status 503' }],
    succeededAt: '2026-06-02T13:00:00.000Z',
  });

  clock = new Date('2026-06-03T13:00:00Z');
  items = [listing('2606.00001', '2026-06-02')];
  await pollSource(deps(), 'huggingface');
  expect(await status()).toMatchObject({
    state: 'stale',
    newestListedOn: '2026-06-02',
    expectedListedOn: '2026-06-03',
    newAt: '2026-06-02T13:00:00.000Z',
  });
});

it('notes a crash, and gives it back', async () => {
  crash = new Error('out of memory');
  items = [];
  expect(await pollSource(deps(), 'huggingface')).toEqual({ type: 'crashed', error: crash });
  expect(await status()).toMatchObject({ state: 'failing', faults: [{ message: 'out of memory' }] });
});

it('catches up the days it was down, not again with every poll', async () => {
  clock = new Date('2026-06-02T13:00:00Z');
  items = [listing('2606.00001', '2026-06-02')];
  await pollSource(deps(), 'huggingface');
  clock = new Date('2026-06-09T13:00:00Z');
  items = [{ type: 'fault', fault: { where: 'x', message: 'still down' } }];
  await pollSource(deps(), 'huggingface');
  clock = new Date('2026-06-09T13:15:00Z');
  await pollSource(deps(), 'huggingface');
  clock = new Date('2026-06-09T20:00:00Z');
  items = [];
  await pollSource(deps(), 'huggingface');
  await pollSource(deps(), 'huggingface');
  expect(requests.map(({ from }) => from)).toEqual([
    undefined,
    '2026-06-02',
    undefined,
    '2026-06-02',
    undefined,
  ]);
});

it('knows the sources there are', async () => {
  expect(await pollSource(deps(), 'nature')).toEqual({ type: 'unknown-source', known: ['huggingface'] });
});
