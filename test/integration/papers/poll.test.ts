import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import { createCatchingUp } from '#src/papers/catching-up.ts';
import type { Coverage } from '#src/papers/coverage.ts';
import type { SourceItem } from '#src/papers/paper.ts';
import { createPaperStore, type PaperStore } from '#src/papers/paper-store.ts';
import { lastPolls, type PollDeps, pollSource, sourceStatuses } from '#src/papers/poll.ts';
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
  // Who doesn't answer isn't asked for more.
  expect(requests.map(({ from }) => from)).toEqual([undefined, undefined, undefined]);
  items = [];
  await pollSource(deps(), 'huggingface');
  await pollSource(deps(), 'huggingface');
  expect(requests.slice(3).map(({ from, to }) => [from, to])).toEqual([
    [undefined, undefined],
    ['2026-06-02', '2026-06-08'],
    [undefined, undefined],
  ]);
  expect(await status()).toMatchObject({ gap: null });
});

describe('a category by itself', () => {
  /** A poll that finds each category's list of a day, or a fault; harvests by date end in `harvest`. */
  let harvest: SourceItem[] = [];
  const found = new Map<string, string>();
  const arxiv = {
    name: 'arxiv',
    async *read(request: SourceRequest): AsyncIterable<SourceItem> {
      requests.push(request);
      if (request.from) return yield* harvest;
      for (const [section, day] of found) {
        const fault = day.startsWith('status') ? day : null;
        if (fault) yield { type: 'fault', fault: { where: section, message: fault } };
        const newestListedOn = fault ? null : isoDate(day);
        yield { type: 'section', section, newestListedOn, fault };
      }
    },
  };
  const poll = async (at: string) => {
    clock = new Date(at);
    expect(await pollSource({ ...deps(), sources: new Map([['arxiv', arxiv]]) }, 'arxiv')).toMatchObject({
      type: 'polled',
    });
  };
  const late = (section: string): Coverage => ({
    source: 'arxiv',
    section,
    received: 0,
    fresh: 0,
    crossed: 0,
    replaced: 0,
    repeated: 0,
    expected: 45,
    state: 'late',
  });
  const arxivStatus = async (coverage: Coverage[] = []) =>
    (await sourceStatuses({ ...deps(), dueCoverage: async () => coverage }, ['arxiv']))[0];

  it('is failing or stale while the others are well', async () => {
    found.set('cs.AI', '2026-06-02').set('cs.CL', 'status 500');
    await poll('2026-06-02T06:00:00Z');
    expect(await arxivStatus()).toMatchObject({
      state: 'failing',
      sections: [
        { section: 'cs.AI', state: 'ok', newestListedOn: '2026-06-02', fault: null },
        { section: 'cs.CL', state: 'failing', succeededAt: null, fault: 'status 500' },
      ],
    });
    found.set('cs.CL', '2026-06-01');
    await poll('2026-06-02T07:00:00Z');
    expect(await arxivStatus([late('cs.CL')])).toMatchObject({
      state: 'stale',
      failures: 0,
      sections: [
        { section: 'cs.AI', state: 'ok' },
        { section: 'cs.CL', state: 'stale', newestListedOn: '2026-06-01', fresh: 0, expected: 45 },
      ],
    });
  });

  it('has the list that it skipped harvested, again after a fault, once in six hours', async () => {
    found.set('cs.AI', '2026-06-01').set('cs.CL', '2026-06-01');
    await poll('2026-06-01T06:00:00Z');
    found.set('cs.AI', '2026-06-02');
    await poll('2026-06-02T06:00:00Z');
    expect(requests.map(({ from }) => from)).toEqual([undefined, undefined]);
    found.set('cs.AI', '2026-06-03').set('cs.CL', '2026-06-03');
    harvest = [{ type: 'fault', fault: { where: 'oai', message: 'status 503' } }];
    await poll('2026-06-03T06:00:00Z');
    await poll('2026-06-03T06:15:00Z');
    expect(await arxivStatus()).toMatchObject({ gap: { from: '2026-06-01', to: '2026-06-02', tries: 1 } });
    harvest = [];
    await poll('2026-06-03T12:15:00Z');
    await poll('2026-06-03T12:30:00Z');
    expect(requests.slice(2).map(({ from, to }) => (from ? `${from} ${to}` : ''))).toEqual([
      '',
      '2026-06-01 2026-06-02',
      '',
      '',
      '2026-06-01 2026-06-02',
      '',
    ]);
  });

  it('skips nothing over a week-end', async () => {
    found.clear();
    found.set('cs.AI', '2026-06-05');
    await poll('2026-06-05T06:00:00Z');
    found.set('cs.AI', '2026-06-08');
    await poll('2026-06-08T06:00:00Z');
    // Only the days without any answer are asked for.
    expect(requests.filter(({ from }) => from).map(({ from, to }) => [from, to])).toEqual([
      ['2026-06-05', '2026-06-07'],
    ]);
  });
});

it('tells when the service is back from a break and has not read yet, for half an hour', async () => {
  const isCatchingUp = createCatchingUp({ lastPolls: () => lastPolls(deps(), ['huggingface', 'arxiv']) });
  const at = (time: string) => new Date(`2026-06-09T${time}:00Z`);
  items = [];
  expect(await isCatchingUp(at('07:00'))).toBe(false);
  clock = at('07:00');
  await pollSource(deps(), 'huggingface');
  expect(await isCatchingUp(at('07:44'))).toBe(false);
  expect(await isCatchingUp(at('12:00'))).toBe(true);
  expect(await isCatchingUp(at('12:29'))).toBe(true);
  expect(await isCatchingUp(at('12:30'))).toBe(false);
  clock = at('12:35');
  await pollSource(deps(), 'huggingface');
  expect(await isCatchingUp(at('12:36'))).toBe(false);
  expect(await isCatchingUp(at('13:30'))).toBe(true);
});

it('knows the sources there are', async () => {
  expect(await pollSource(deps(), 'nature')).toEqual({ type: 'unknown-source', known: ['huggingface'] });
});
