import { describe, expect, test } from 'vitest';
import {
  duration,
  type Finding,
  failed,
  ok,
  runCheck,
  warning,
  wordsOf,
} from '#src/command-line/doctor/check.ts';
import { checkConfiguration } from '#src/command-line/doctor/configuration.ts';
import {
  connectionsOf,
  judgeClock,
  judgeConnections,
  judgeLatency,
  judgePartitions,
  judgeRights,
  judgeSchema,
  judgeVersion,
} from '#src/command-line/doctor/database.ts';
import {
  judgeDigests,
  judgeHalt,
  judgeNotices,
  judgeOverdue,
  judgePauses,
  judgeUnknown,
} from '#src/command-line/doctor/delivery.ts';
import { type FolderFacts, judgeFolder, judgeNode, judgeSecret } from '#src/command-line/doctor/machine.ts';
import { judgePages } from '#src/command-line/doctor/pages.ts';
import {
  judgeEmbeddings,
  judgePapers,
  judgeSource,
  judgeStatistics,
} from '#src/command-line/doctor/papers.ts';
import { judgeQueue, judgeRedis } from '#src/command-line/doctor/queue.ts';
import { exitCodeOf } from '#src/command-line/doctor.ts';
import { readConfig } from '#src/config.ts';
import { isoDate } from '#src/database/ids.ts';
import { statusOf, unpolled } from '#src/papers/source-health.ts';
import type { LaneLook, ScheduleLook } from '#src/queue/look.ts';

const NOW = new Date('2026-06-10T12:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const TODAY = isoDate('2026-06-10');

describe('a check', () => {
  test('that breaks, or never ends, has failed, with its name and its fix', async () => {
    const check = { name: 'thing', fix: 'mend THING' };
    const breaks = { ...check, run: async () => Promise.reject(new Error('broken')) };
    expect(await runCheck(breaks)).toEqual([failed('thing', 'broken', 'mend THING')]);
    const hangs = { ...check, run: () => new Promise<never>(() => undefined) };
    expect(await runCheck(hangs, 20)).toEqual([failed('thing', 'no answer within 0.02 s', 'mend THING')]);
    expect(await runCheck({ ...check, run: async () => [ok('thing', 'fine')] })).toEqual([
      ok('thing', 'fine'),
    ]);
  });

  test('faults in one line, also where a host has several addresses', () => {
    expect(wordsOf(new AggregateError([new Error('connect\nECONNREFUSED')]))).toBe('connect ECONNREFUSED');
    expect([1_400, 119_000, 7_100_000, 170_000_000, 200_000_000].map(duration)).toEqual([
      '1 s',
      '119 s',
      '118 min',
      '47 h',
      '2 days',
    ]);
  });

  test.each<[readonly Finding[], number]>([
    [[ok('a', ''), warning('b', '', '')], 0],
    [[ok('a', ''), failed('b', '', '')], 1],
    [[failed('b', '', ''), failed('configuration', '', '')], 2],
  ])('%j ends with %i', (findings, code) => expect(exitCodeOf(findings)).toBe(code));
});

describe('the configuration', () => {
  const statesOf = (environment: Record<string, string>) =>
    checkConfiguration(readConfig(environment)).map(({ state, seen }) => `${state} ${seen}`);
  test('nothing set is a trial', () => {
    expect(statesOf({})).toEqual(['ok nothing is set: a trial, with everything on this machine']);
  });
  test('tells what the service would only meet when it mails or reads', () => {
    const found = statesOf({
      SMTP_URL: 'smtp://u:hush@127.0.0.1?wait=1',
      DKIM_KEYS: 'example.org:s1:/no/such/file',
      SOURCES: 'sample,arxif',
    });
    expect(found.filter((line) => line.startsWith('failed'))).toEqual([
      expect.stringMatching(/SMTP_URL: unknown parameter "wait"/),
      expect.stringMatching(/DKIM_KEYS: ENOENT/),
      expect.stringMatching(/SOURCES names "arxif"/),
    ]);
    expect(found.join()).not.toContain('hush');
    expect(found.filter((line) => line.startsWith('warning MAIL_FROM'))).toHaveLength(1);
  });
});

describe('the machine', () => {
  test('Node 24', () => {
    expect([judgeNode('24.21.0').state, judgeNode('22.20.0').state]).toEqual(['ok', 'failed']);
  });
  const facts: FolderFacts = {
    folder: '/srv/data',
    nearest: '/srv/data',
    fault: null,
    freeOctets: 20e9,
    fileSystem: 0xef53,
  };
  test.each<[string, Partial<FolderFacts>, string]>([
    ['a disk with room', {}, 'ok'],
    ['not there yet', { nearest: '/srv' }, 'ok'],
    ['read-only', { fault: 'EROFS' }, 'failed'],
    ['full', { freeOctets: 50e6 }, 'failed'],
    ['nearly full', { freeOctets: 500e6 }, 'warning'],
    ['NFS', { fileSystem: 0x6969 }, 'warning'],
    ['tmpfs', { fileSystem: 0x01021994 }, 'warning'],
    ['another system', { fileSystem: null }, 'ok'],
  ])('data folder: %s', (_name, more, state) => expect(judgeFolder({ ...facts, ...more }).state).toBe(state));
});

describe('the secret', () => {
  const kept = { kept: 'in a file', file: '/srv/data/secret', length: 43, isOpen: false } as const;
  test.each<[Parameters<typeof judgeSecret>[0], string]>([
    [{ kept: 'in the settings' }, 'ok'],
    [{ kept: 'nowhere' }, 'ok'],
    [kept, 'ok'],
    [{ ...kept, isOpen: true }, 'warning'],
    [{ ...kept, length: 0 }, 'failed'],
  ])('%j', (facts, state) => expect(judgeSecret(facts).state).toBe(state));
});

describe('the database', () => {
  const server = {
    version: '18.1',
    major: 18,
    latencyMs: 1,
    clockAheadMs: 0,
    mayCreate: true,
    connections: { limit: 97, used: 5, own: 5 },
  };
  test('version, latency, clock', () => {
    expect(judgeVersion(server, '', '').state).toBe('ok');
    expect(judgeVersion({ ...server, version: '14.9', major: 14 }, '', '').state).toBe('failed');
    expect([judgeRights(true)?.state, judgeRights(false)?.state]).toEqual([undefined, 'warning']);
    expect([judgeLatency(1)?.state, judgeLatency(80)?.state]).toEqual([undefined, 'warning']);
    expect([300, -6_000, 900_000].map((ms) => judgeClock(ms).state)).toEqual(['ok', 'warning', 'failed']);
    expect(judgeClock(-6_000).seen).toContain('6 s behind');
  });
  test('connections: what we hold ourselves is not missing', () => {
    const needed = connectionsOf({ databasePool: 10, queue: { kind: 'postgres' } });
    expect(needed).toBe(40);
    expect(connectionsOf({ databasePool: 10, queue: { kind: 'redis', url: '' } })).toBe(10);
    const judge = (used: number, own: number) => judgeConnections({ limit: 97, used, own }, needed).state;
    expect([judge(20, 0), judge(60, 0), judge(60, 20), judge(97, 40)]).toEqual([
      'ok',
      'warning',
      'ok',
      'failed',
    ]);
  });
  test('schema and partitions', () => {
    expect(judgeSchema({ pending: [], unknown: [] }, 'external').state).toBe('ok');
    expect(judgeSchema({ pending: ['2026-1'], unknown: [] }, 'external')).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('paperboy migrate'),
    });
    expect(judgeSchema({ pending: ['2026-1'], unknown: [] }, 'embedded').state).toBe('warning');
    expect(judgePartitions(TODAY, []).state).toBe('ok');
    expect(judgePartitions(TODAY, ['digests_2026_06']).state).toBe('warning');
  });
});

describe('the queue', () => {
  const lane = (workers: number | null): LaneLook => ({
    lane: 'chores',
    workers,
    waiting: 2,
    active: 1,
    failed: 0,
  });
  const beat = (minutesAgo: number): ScheduleLook[] =>
    ['plan', 'sweep', 'ingest', 'upkeep'].map((name) => ({
      name,
      everyMs: 60_000,
      nextAt: ago(minutesAgo - 1),
    }));
  test.each<[string, number | null, ScheduleLook[], string]>([
    ['a worker, and its beat', 1, beat(0.5), 'ok ok'],
    ['no worker, never one', 0, [], 'warning warning'],
    ['no worker any more', 0, beat(60), 'warning warning'],
    ['a worker, and no beat', 2, beat(60), 'ok failed'],
    ['a server that hides its clients', null, beat(1), 'ok ok'],
  ])('%s', (_name, workers, schedules, states) => {
    const found = judgeQueue({ lanes: [lane(workers)], schedules }, NOW);
    expect(found.map(({ state }) => state).join(' ')).toBe(states);
  });

  const redis = {
    version: '7.0.15',
    evictionPolicy: 'noeviction',
    memoryLimit: 0,
    memoryUsed: 1e6,
    persistence: 'none',
    snapshotFailed: false,
  } as const;
  test.each([
    [{}, ['ok']],
    [{ evictionPolicy: 'allkeys-lru' }, ['failed']],
    [{ version: '6.0.9' }, ['failed']],
    [{ version: '6.2.0' }, ['ok']],
    [{ memoryLimit: 1e6 }, ['warning']],
    [{ snapshotFailed: true, persistence: 'snapshots' as const }, ['warning']],
  ])('Redis %j', (more, states) =>
    expect(judgeRedis({ ...redis, ...more }).map(({ state }) => state)).toEqual(states),
  );
});

describe('delivery', () => {
  test('a halt names what the relay said and how to go on', () => {
    const halt = { raisedAt: ago(90), reply: '535 no', nextProbeAt: NOW, probes: 3 };
    expect(judgeHalt(null, NOW).state).toBe('ok');
    expect(judgeHalt(halt, NOW)).toMatchObject({
      state: 'failed',
      seen: 'HALTED for 90 min, tried 3 times: the relay refuses us as a sender (535 no)',
      fix: expect.stringContaining('paperboy ledger resume'),
    });
  });
  test('what is overdue, put off or in doubt', () => {
    expect(judgeOverdue({ count: 0, since: null }, NOW).state).toBe('ok');
    expect(judgeOverdue({ count: 1200, since: ago(30) }, NOW)).toMatchObject({
      state: 'failed',
      seen: '1,200 readers overdue, the first for 30 min',
    });
    expect(judgeNotices({ count: 0, since: null }, NOW).state).toBe('ok');
    expect(judgeNotices({ count: 1, since: ago(30) }, NOW).state).toBe('failed');
    const none = { due: 0, dueSince: null, deferred: 0, reply: null, unknown: 0, unknownSince: null };
    const judge = (more: object) => judgeDigests({ ...none, ...more }, NOW).state;
    expect(judge({})).toBe('ok');
    expect(judge({ due: 9, dueSince: ago(10) })).toBe('ok');
    expect(judge({ due: 9, dueSince: ago(70), deferred: 4, reply: '451 later' })).toBe('warning');
    expect(judgeUnknown(none).state).toBe('ok');
    expect(judgeUnknown({ unknown: 2, unknownSince: TODAY }).state).toBe('warning');
    expect(judgePauses(new Map())).toEqual([]);
    expect(judgePauses(new Map([['domain:example.org', 9]]))[0]?.seen).toContain('to example.org,');
  });
});

describe('the pages', () => {
  const answer = { type: 'answer', status: 200, location: null, isOurs: true } as const;
  test.each([
    ['https://papers.example.org', true, answer, 'ok'],
    ['http://papers.example.org', true, answer, 'warning'],
    ['http://localhost:8080', false, answer, 'ok'],
    ['https://papers.example.org', true, { ...answer, isOurs: false }, 'warning'],
    ['https://papers.example.org', true, { ...answer, status: 503 }, 'warning'],
    [
      'https://papers.example.org',
      true,
      { ...answer, status: 301, location: 'https://a.example' },
      'warning',
    ],
    ['https://papers.example.org', true, { type: 'fault', words: 'ENOTFOUND' } as const, 'warning'],
  ])('%s, set: %s, %j: %s', (url, isSet, seen, state) =>
    expect(judgePages(url, isSet, seen).state).toBe(state),
  );
});

describe('papers', () => {
  const health = {
    ...unpolled('huggingface', NOW),
    succeededAt: ago(10).toISOString(),
    newestListedOn: TODAY,
  };
  const due = { on: TODAY, coverage: [] };
  test('a source: well, unread for long, late, failing, never read', () => {
    const judge = (more: object, at = NOW) => judgeSource(statusOf({ ...health, ...more }, due, at)).state;
    expect(judge({})).toBe('ok');
    expect(judge({}, new Date(NOW.getTime() + 3 * 3_600_000))).toBe('warning');
    expect(judge({ newestListedOn: isoDate('2026-06-08') })).toBe('warning');
    expect(judge({ failures: 1 })).toBe('warning');
    expect(judge({ failures: 3 })).toBe('failed');
    expect(judgeSource({ ...statusOf(health, due, NOW), state: 'never' }).state).toBe('warning');
  });
  test('embeddings: never the end of anything', () => {
    const judge = (more: object) => judgeEmbeddings({ ...statusOf(health, null, NOW), ...more }).state;
    expect([judge({}), judge({ state: 'never' }), judge({ state: 'failing' })]).toEqual([
      'ok',
      'warning',
      'warning',
    ]);
  });
  test('papers and statistics', () => {
    expect(judgePapers({ count: 5, newest: TODAY }, 7).state).toBe('ok');
    expect(judgePapers({ count: 0, newest: null }, 7).state).toBe('warning');
    expect(judgeStatistics(null, NOW).state).toBe('warning');
    expect(judgeStatistics(ago(60 * 24 * 3), NOW)).toMatchObject({ state: 'ok', seen: 'fitted 3 days ago' });
    expect(judgeStatistics(ago(60 * 24 * 15), NOW).state).toBe('warning');
  });
});
