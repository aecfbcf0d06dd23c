import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { HEAP_FLAGS } from '#src/heap-flags.ts';
import { CANDIDATES, fill } from './matching-data.ts';
import type { WorkerReport } from './matching-worker.ts';

const USAGE = `usage: npm run bench -- matching [--readers 10000,100000,1000000] [--processes 2] [--json]
Readers of a real database (Zipf topics, 30 % with ten likes) × ${CANDIDATES} papers: profiles read in batches, papers chosen, by one
worker process and then by several. CPU seconds are the workers' own; the index is built once a worker and told apart. A preview
is of a reader with ten likes, phrases and papers seen for the first time. A million readers take about two minutes.`;

/** `npm run bench -- matching`: what planning costs by number of readers. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      readers: { type: 'string', default: '10000,100000' },
      processes: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const sizes = values.readers.split(',').map(Number);
  const processes = Number(values.processes);
  if (values.help || [...sizes, processes].some((number) => !Number.isSafeInteger(number) || number < 1)) {
    console.error(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const results = await measureAll(sizes, processes);
  const [first] = results;
  const relative = results.map(({ readers, microsecondsPerReader }) => ({
    readers,
    costPerReader: microsecondsPerReader / (first?.microsecondsPerReader ?? 1),
  }));
  const report = { papers: CANDIDATES, processes, results, relative };
  console.log(values.json ? JSON.stringify(report) : report);
}

/** Measures every number of readers on one database, that of the most. */
async function measureAll(sizes: readonly number[], processes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-bench-'));
  const server = await startEmbeddedPostgres(folder, { settings: { fsync: 'off', full_page_writes: 'off' } });
  const database = openDatabase(server.url, { max: 1 });
  try {
    await migrateDatabase(database);
    console.error(`writing ${Math.max(...sizes)} readers`);
    await fill(database, Math.max(...sizes));
    const results = [];
    for (const readers of sizes) results.push(await measure(server.url, readers, processes));
    return results;
  } finally {
    await database.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(url: string, readers: number, processes: number) {
  console.error(`${readers} readers: one process`);
  const [one] = await work(url, readers, 1);
  if (!one) throw new Error('the worker gave no report');
  console.error(`${readers} readers: ${processes} processes`);
  const several = await work(url, readers, processes);
  const { read, prepare, choose } = one.cpu;
  const total = sum(one.cpu);
  return {
    readers,
    cpuSeconds: total / 1000,
    microsecondsPerReader: (total * 1000) / readers,
    /** `once`: on each distinct phrase and marked paper, as they come up. */
    cpuSplit: { readSeconds: read / 1000, onceSeconds: prepare / 1000, chooseSeconds: choose / 1000 },
    /** An edition later in the same process: all code is compiled, nothing of the old index is used. */
    warm: {
      readers: one.warm.readers,
      cpuSeconds: sum(one.warm) / 1000,
      onceSeconds: one.warm.prepare / 1000,
    },
    papersPerReader: one.chosen / readers,
    indexCpuSeconds: one.index.cpu / 1000,
    indexLongestStepMs: one.index.longestStep,
    memoryMb: megabytes(one.memory),
    liveMb: megabytes(one.live),
    wallSeconds: one.wall / 1000,
    severalProcesses: {
      processes,
      wallSeconds: Math.max(...several.map(({ wall }) => wall)) / 1000,
      speedUp: one.wall / Math.max(...several.map(({ wall }) => wall)),
      memoryMb: several.map(({ memory }) => megabytes(memory)),
    },
    previewMs: one.preview,
  };
}

const sum = ({ read, prepare, choose }: WorkerReport['cpu']): number => read + prepare + choose;

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

async function work(url: string, readers: number, processes: number): Promise<WorkerReport[]> {
  const share = Math.ceil(readers / processes);
  const script = new URL('./matching-worker.ts', import.meta.url);
  return Promise.all(
    Array.from({ length: processes }, async (_, part) => {
      const range = [part * share + 1, Math.min(readers, (part + 1) * share)];
      const child = fork(script, [url, ...range.map(String)], { execArgv: EXEC_ARGV });
      const exited = once(child, 'exit');
      const [report] = (await Promise.race([once(child, 'message'), exited])) as [WorkerReport | number];
      if (typeof report === 'number') throw new Error(`a worker ended with code ${report}`);
      child.disconnect();
      await exited;
      return report;
    }),
  );
}

/** As every process of Paperboy has it, and the means to tell what is alive from garbage. */
const EXEC_ARGV = [...HEAP_FLAGS, '--expose-gc'];
