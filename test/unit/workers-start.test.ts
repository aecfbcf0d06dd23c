import { describe, expect, test } from 'vitest';
import { JOBS } from '#src/queue/jobs.ts';
import type { WorkerUseCases } from '#workers/processor.ts';
import { bindProcessors, PROCESSORS } from '#workers/start.ts';

const calls: unknown[] = [];
const useCases: WorkerUseCases = {
  deliverDigests: async (range) => void calls.push(['deliverDigests', range]),
  deliverNotices: async (ids) => void calls.push(['deliverNotices', ids]),
  planDue: async () => void calls.push(['planDue']),
  sweep: async () => void calls.push(['sweep']),
  settleJournals: async () => ({ claims: 0 }),
  ingest: async (source) => void calls.push(['ingest', source]),
  embed: async () => void calls.push(['embed']),
  upkeep: async () => void calls.push(['upkeep']),
};
const context = { signal: new AbortController().signal };

describe('the processors', () => {
  test('are one for each job, and call their use case', async () => {
    const bound = bindProcessors(useCases);
    expect(Object.keys(bound).sort()).toEqual(Object.keys(JOBS).sort());
    await bound['deliver-digests']({ editionDate: '2026-06-01', from: 1, to: 2 }, context);
    await bound['deliver-notices']({ ids: [3] }, context);
    await bound.plan({}, context);
    await bound.sweep({}, context);
    await bound.ingest({ source: 'huggingface' }, context);
    await bound.embed({}, context);
    await bound.upkeep({}, context);
    expect(calls).toEqual([
      ['deliverDigests', { editionDate: '2026-06-01', from: 1, to: 2 }],
      ['deliverNotices', [3]],
      ['planDue'],
      ['sweep'],
      ['ingest', 'huggingface'],
      ['embed'],
      ['upkeep'],
    ]);
  });

  test('refuse to start when a job has none, or two', () => {
    const without = PROCESSORS.filter((processor) => processor.name !== 'sweep');
    expect(() => bindProcessors(useCases, without)).toThrow('job "sweep" has no processor');
    const twice = [...PROCESSORS, ...PROCESSORS.filter((processor) => processor.name === 'plan')];
    expect(() => bindProcessors(useCases, twice)).toThrow('job "plan" has 2 processors');
  });
});
