import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { runningServer } from '#src/embedded/server-process.ts';
import { HEAP_FLAGS } from '#src/heap-flags.ts';
import { treeCpuSeconds } from './delivery/processes.ts';
import { CANDIDATES, fill } from './matching-data.ts';
import type { WorkerReport } from './matching-worker.ts';

const USAGE = `usage: npm run bench -- matching [--readers 10000,100000,1000000] [--processes 2] [--json]
Readers of a real database (Zipf topics, 30 % with ten likes) × ${CANDIDATES} papers: profiles read in batches, papers chosen, by one
worker process and then by several. CPU seconds are the workers' own; the index is built once a worker and told apart.
machineSpeedUp is what so many processes of mere arithmetic do beside one: the most that this machine allows. A preview is of a reader with ten likes, phrases and papers seen for the first time. A million readers take about two minutes.`;

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
  const machineSpeedUp = await measureMachine(processes);
  const results = await measureAll(sizes, processes);
  const [first] = results;
  const relative = results.map(({ readers, microsecondsPerReader }) => ({
    readers,
    costPerReader: microsecondsPerReader / (first?.microsecondsPerReader ?? 1),
  }));
  const report = { papers: CANDIDATES, processes, machineSpeedUp, results, relative };
  console.log(values.json ? JSON.stringify(report) : report);
}

/** How many times as much processes of mere arithmetic do side by side as one does alone: each twice, the best counts. */
async function measureMachine(processes: number): Promise<number> {
  const script = new URL('./matching-machine.ts', import.meta.url);
  const slowest = async (count: number): Promise<number> =>
    Math.max(...(await Promise.all(Array.from({ length: count }, () => report<number>(script, [])))));
  const [alone, together] = [[await slowest(1)], [await slowest(processes)]];
  alone.push(await slowest(1));
  together.push(await slowest(processes));
  return (processes * Math.min(...alone)) / Math.min(...together);
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
    const databasePid = (await runningServer(join(folder, 'cluster')))?.pid ?? 0;
    for (const readers of sizes) results.push(await measure(server.url, databasePid, readers, processes));
    return results;
  } finally {
    await database.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(url: string, databasePid: number, readers: number, processes: number) {
  console.error(`${readers} readers: one process`);
  const before = treeCpuSeconds(databasePid);
  const [one] = await work(url, readers, 1);
  const databaseCpuSeconds = treeCpuSeconds(databasePid) - before;
  if (!one) throw new Error('the worker gave no report');
  console.error(`${readers} readers: ${processes} processes`);
  const several = await work(url, readers, processes);
  const { read, prepare, choose } = one.cpu;
  const total = sum(one.cpu);
  return {
    readers,
    cpuSeconds: total / 1000,
    microsecondsPerReader: (total * 1000) / readers,
    /** PostgreSQL's own, which shares the machine's cores: reading for one process, all that it reads beside the profiles included. */
    databaseCpuSeconds,
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
      cpuSeconds: several.map(({ cpu }) => sum(cpu) / 1000),
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
    Array.from({ length: processes }, (_, part) => {
      const range = [part * share + 1, Math.min(readers, (part + 1) * share)];
      return report<WorkerReport>(script, [url, ...range.map(String)]);
    }),
  );
}

/** Runs a script of this folder in a process of its own until it has sent its report. */
async function report<Report>(script: URL, args: readonly string[]): Promise<Report> {
  const child = fork(script, args, { execArgv: EXEC_ARGV });
  const exited = once(child, 'exit').then(([code]) => ({ code }));
  const sent = once(child, 'message').then(([message]) => ({ message: message as Report }));
  const first = await Promise.race([sent, exited]);
  if ('code' in first) throw new Error(`a worker ended with code ${String(first.code)}`);
  if (child.connected) child.disconnect();
  await exited;
  return first.message;
}

/** As every process of Paperboy has it, and the means to tell what is alive from garbage. */
const EXEC_ARGV = [...HEAP_FLAGS, '--expose-gc'];
