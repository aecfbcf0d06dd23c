import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { CANDIDATES, fill } from './matching-data.ts';
import type { WorkerReport } from './matching-worker.ts';

const USAGE = `usage: npm run bench -- matching [--readers 10000,100000] [--json]
Readers of a real database (Zipf topics, 30 % with ten likes) × ${CANDIDATES} papers: profiles read in batches, papers chosen, by one
worker process and by two. CPU seconds are the workers' own; the index is built once a worker and told apart. A preview
is of a reader with ten likes, phrases and papers seen for the first time.`;

/** `npm run bench -- matching`: what planning costs by number of readers. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      readers: { type: 'string', default: '10000,100000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const sizes = values.readers.split(',').map(Number);
  if (values.help || sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    console.error(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const results = [];
  for (const readers of sizes) {
    const result = await measure(readers);
    results.push(result);
    if (!values.json) console.log(result);
  }
  const [first] = results;
  const relative = results.map(({ readers, microsecondsPerReader }) => ({
    readers,
    costPerReader: microsecondsPerReader / (first?.microsecondsPerReader ?? 1),
  }));
  if (values.json) console.log(JSON.stringify({ papers: CANDIDATES, results, relative }));
  else console.log(relative);
}

async function measure(readers: number) {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-bench-'));
  const server = await startEmbeddedPostgres(folder, { settings: { fsync: 'off', full_page_writes: 'off' } });
  const database = openDatabase(server.url, { max: 1 });
  try {
    await migrateDatabase(database);
    await fill(database, readers);
    const [one] = await work(server.url, readers, 1);
    const two = await work(server.url, readers, 2);
    if (!one) throw new Error('the worker gave no report');
    const { read, prepare, choose } = one.cpu;
    const total = read + prepare + choose;
    return {
      readers,
      cpuSeconds: total / 1000,
      microsecondsPerReader: (total * 1000) / readers,
      /** `once`: on each distinct phrase and marked paper, as they come up. */
      cpuSplit: { readSeconds: read / 1000, onceSeconds: prepare / 1000, chooseSeconds: choose / 1000 },
      papersPerReader: one.chosen / readers,
      indexCpuSeconds: one.index.cpu / 1000,
      indexLongestStepMs: one.index.longestStep,
      memoryMb: Math.round(one.memory / 2 ** 20),
      wallSeconds: one.wall / 1000,
      speedUpOfTwoProcesses: one.wall / Math.max(...two.map(({ wall }) => wall)),
      previewMs: one.preview,
    };
  } finally {
    await database.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function work(url: string, readers: number, processes: number): Promise<WorkerReport[]> {
  const share = Math.ceil(readers / processes);
  const script = new URL('./matching-worker.ts', import.meta.url);
  return Promise.all(
    Array.from({ length: processes }, async (_, part) => {
      const range = [part * share + 1, Math.min(readers, (part + 1) * share)];
      const child = fork(script, [url, ...range.map(String)]);
      const exited = once(child, 'exit');
      const [report] = (await Promise.race([once(child, 'message'), exited])) as [WorkerReport | number];
      if (typeof report === 'number') throw new Error(`a worker ended with code ${report}`);
      child.disconnect();
      await exited;
      return report;
    }),
  );
}
