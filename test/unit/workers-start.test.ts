import { describe, expect, test, vi } from 'vitest';
import type { BullQueue } from '#src/queue/backend.ts';
import { JOBS } from '#src/queue/jobs.ts';
import type { OpenQueue } from '#src/queue/queue.ts';
import { keepSchedules } from '#src/queue/schedules.ts';
import type { WorkerUseCases } from '#workers/processor.ts';
import { bindProcessors, PROCESSORS, startWorkers } from '#workers/start.ts';
import { waitFor } from '../support/wait.ts';

const calls: unknown[] = [];
const useCases: WorkerUseCases = {
  deliverDigests: async (range) => void calls.push(['deliverDigests', range]),
  deliverNotices: async (ids) => void calls.push(['deliverNotices', ids]),
  planDue: async () => void calls.push(['planDue']),
  sweep: async () => void calls.push(['sweep']),
  settleJournals: async () => ({ claims: 0 }),
  watchLeases: async () => ({ released: 0, resent: 0 }),
  makePartitions: async () => [],
  ingest: async (source) => void calls.push(['ingest', source]),
  embed: async () => void calls.push(['embed']),
  upkeep: async () => void calls.push(['upkeep']),
};
const context = { signal: new AbortController().signal, letGo: () => undefined };

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

describe('workers that can’t be started', () => {
  test('are closed: of a process that gives up they would take the jobs of all others, and do none', async () => {
    const done: string[] = [];
    const queue: OpenQueue = {
      queue: { add: async () => undefined },
      startWorkers: async () => ({
        close: async () => {
          done.push('closed');
          return true;
        },
      }),
      schedule: async () => {
        throw new Error('could not serialize access');
      },
      depth: async () => 0,
      close: async () => undefined,
    };
    await expect(startWorkers({ queue, useCases })).rejects.toThrow('could not serialize access');
    expect(done).toEqual(['closed']);
  });
});

describe('a running process', () => {
  test('looks every few seconds for killed processes and for leases that have run out, and sweeps after them', async () => {
    vi.useFakeTimers();
    const seen: string[] = [];
    const watched = [
      { released: 0, resent: 0 },
      { released: 0, resent: 2 },
      { released: 3, resent: 0 },
    ];
    const queue: OpenQueue = {
      queue: { add: async () => undefined },
      startWorkers: async () => ({ close: async () => true }),
      schedule: async () => undefined,
      depth: async () => 0,
      close: async () => undefined,
    };
    const workers = await startWorkers({
      queue,
      useCases: {
        ...useCases,
        settleJournals: async () => {
          seen.push('settle');
          return { claims: 0 };
        },
        watchLeases: async () => watched.shift() ?? { released: 0, resent: 0 },
        sweep: async () => void seen.push('sweep'),
      },
    });
    expect(seen.splice(0)).toEqual(['settle']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(seen.splice(0)).toEqual(['settle']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(seen.splice(0)).toEqual(['settle', 'sweep']);
    // Not again at once: a sweep reads the whole of what is open.
    await vi.advanceTimersByTimeAsync(15_000);
    expect(seen.splice(0)).toEqual(['settle', 'settle', 'settle']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(seen.splice(0)).toEqual(['settle', 'sweep']);
    await workers.close(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen).toEqual([]);
    vi.useRealTimers();
  });
});

describe('schedules', () => {
  test('of a backend that takes nothing at the moment are asked for again, and no end of the process', async () => {
    const faults: string[] = [];
    const placed: string[] = [];
    let full = true;
    const queue = {
      getJobScheduler: async () => undefined,
      upsertJobScheduler: async (name: string) => {
        if (full) throw new Error('OOM command not allowed');
        placed.push(name);
      },
    } as unknown as BullQueue;
    const kept = await keepSchedules({
      queue,
      schedules: { plan: 60_000, sweep: 60_000 },
      onError: (error) => faults.push(error.message),
      againMs: 5,
    });
    expect(faults).toEqual(['OOM command not allowed']);
    full = false;
    await waitFor('the schedules', () => placed.length === 2);
    await kept.stop();
    expect(placed).toEqual(['plan', 'sweep']);
  });
});
