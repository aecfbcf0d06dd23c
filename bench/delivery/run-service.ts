import { HEAP_FLAGS } from '#src/heap-flags.ts';
import type { Fixture } from './fixture.ts';
import { treeCpuSeconds } from './processes.ts';
import { type BenchServer, type Measured, measure } from './tools.ts';

/** Where a run plays. */
export type Bench = {
  readonly databaseUrl: string;
  /** Process of the database server. */
  readonly databasePid: number;
  readonly connections: number;
  readonly rounds: number;
  /** Digests that a process delivers before the clock starts; 0: it has just started. */
  readonly warm: number;
  readonly fill: (fixture: Fixture) => Promise<void>;
  readonly makeDue: (readers: number) => Promise<void>;
  readonly say: (line: string) => void;
};

/** Figures, or ratios, by name. */
export type Figures = Record<string, number>;

/** With the CPU of the others on this machine, in microseconds per message. */
export type EndToEnd = Measured & { readonly databaseCpuUs: number; readonly sinkCpuUs: number };

/** Messages a second. */
export const perSecond = (result: Measured): number => result.messages / result.seconds;

/** The middle one; of two the higher. */
export const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * Runs the service for one edition, in `processes` processes that share it. Readers are made before, so that the clock runs from "due" on.
 *
 * With `bench.warm` the same processes first deliver yesterday's edition to so many readers, through the same code into the same ledger: a worker
 * runs for weeks, and what V8 compiles in the first seconds of its life is no part of what a digest costs. Figures of memory hold both editions.
 */
export async function endToEnd(
  bench: Bench,
  sink: BenchServer,
  readers: number,
  { flags = [], processes = 1 }: { readonly flags?: readonly string[]; readonly processes?: number } = {},
): Promise<EndToEnd> {
  const { warm } = bench;
  await bench.fill({ readers: Math.max(readers, warm), due: warm || readers });
  const cpu = () => [treeCpuSeconds(bench.databasePid), treeCpuSeconds(sink.pid)] as const;
  let before = cpu();
  const nextDay = async () => {
    await bench.makeDue(readers);
    before = cpu();
  };
  const whenWarm = together(processes, nextDay);
  const where = ['--database', bench.databaseUrl, '--port', String(sink.port), '--readers', String(readers)];
  const how = ['--warm', String(warm), '--connections', String(bench.connections), ...flags];
  const results = await Promise.all(
    Array.from({ length: processes }, () =>
      measure('end-to-end.ts', [...where, ...how], { flags: HEAP_FLAGS, whenWarm }),
    ),
  );
  const after = cpu();
  const us = (i: 0 | 1) => ((after[i] - before[i]) / readers) * 1e6;
  return { ...slowest(results), databaseCpuUs: us(0), sinkCpuUs: us(1) };
}

/** Does `work` once when all of `count` have asked for it; they wait for each other. */
function together(count: number, work: () => Promise<void>): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const worked = promise.then(work);
  let asked = 0;
  return () => {
    asked += 1;
    if (asked === count) resolve();
    return worked;
  };
}

/** The run is over when the last process is. */
const slowest = (results: readonly Measured[]): Measured =>
  results.reduce((slow, result) => (result.seconds > slow.seconds ? result : slow));

/** Runs one of the yardsticks, with a warm-up of as many messages. */
export const yardstick = (script: string, bench: Bench, port: number, messages: number, size: number) =>
  measure(script, [port, messages, size, bench.connections, bench.warm].map(String));
