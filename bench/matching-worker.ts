import { openDatabase } from '#src/database/database.ts';
import type { PaperId, SubscriberId } from '#src/database/ids.ts';
import { profilesOf } from '#src/digests/profiles.ts';
import { createStatisticsStore } from '#src/digests/statistics-store.ts';
import { indexInSteps } from '#src/matching/index-candidates.ts';
import type { CandidateIndex, MatchingPaper, Profile } from '#src/matching/types.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';
import { readCandidates, STATISTICS } from './matching-data.ts';

/** What a worker did; times in milliseconds, CPU of the worker's own process. */
export type WorkerReport = {
  readonly readers: number;
  readonly chosen: number;
  readonly index: IndexReport;
  readonly cpu: Spent;
  /** The same of the first readers with a new index, in a process that has compiled its code: an edition later. */
  readonly warm: { readonly readers: number } & Spent;
  /** From the first profile read to the last paper chosen. */
  readonly wall: number;
  /** Largest resident set, bytes. */
  readonly memory: number;
  /** Heap and arrays after a garbage collection, with all that is remembered and no reader, bytes. */
  readonly live: number;
  readonly preview: { readonly candidates: number; readonly median: number; readonly slowest: number };
};

type Spent = { read: number; prepare: number; choose: number };

/** Reading papers and statistics and building the index; `longestStep` is the CPU time that the event loop waits for at most. */
type IndexReport = { readonly cpu: number; readonly longestStep: number };

/** Readers planned at a time (src/digests/plan.ts). */
const BATCH = 500;
const WARM = 10_000;
const PREVIEW_CANDIDATES = 500;
const PREVIEWS = 50;
const NONE: ReadonlySet<PaperId> = new Set();

/** Streams readers `from` … `to` (ids) in batches: profiles from the database, papers chosen, nothing kept. */
async function work(url: string, from: number, to: number): Promise<WorkerReport> {
  const database = openDatabase(url, { max: 2 });
  const topics = createTopicStore({ database });
  const readProfiles = async (first: number, count: number): Promise<Profile[]> => {
    const readers = Array.from({ length: count }, (_, at) => ({
      id: (first + at) as SubscriberId,
      dial: 30,
      fillWithTrending: true,
      papersPerDigest: 10,
    }));
    return [...(await profilesOf(topics, database, readers)).values()];
  };
  const start = cpu();
  const { candidates, earlier } = await readCandidates(database);
  const statistics = await createStatisticsStore({ database }).load(STATISTICS);
  const catalogue = await topics.catalogue();
  const build = (papers: readonly MatchingPaper[]) =>
    measureSteps(indexInSteps(papers, catalogue, earlier, statistics));
  const { index, longestStep } = build(candidates);
  const indexCpu = cpu() - start;

  const stream = async (index: CandidateIndex, last: number) => {
    const spent: Spent = { read: 0, prepare: 0, choose: 0 };
    let chosen = 0;
    for (let first = from; first <= last; first += BATCH) {
      const before = cpu();
      const profiles = await readProfiles(first, Math.min(BATCH, last - first + 1));
      const read = cpu();
      index.prepare(profiles);
      const prepared = cpu();
      for (const profile of profiles) chosen += index.choose(profile, NONE).length;
      spent.read += read - before;
      spent.prepare += prepared - read;
      spent.choose += cpu() - prepared;
    }
    return { spent, chosen };
  };
  const wallStart = performance.now();
  const { spent, chosen } = await stream(index, to);
  const [wall, memory] = [performance.now() - wallStart, process.resourceUsage().maxRSS * 1024];
  const live = measureLive();
  const again = Math.min(to, from + WARM - 1);
  const { spent: later } = await stream(build(candidates).index, again);
  const warm = { readers: again - from + 1, ...later };
  const few = build(candidates.slice(0, PREVIEW_CANDIDATES)).index;
  const preview = measurePreviews(few, await readProfiles(1, PREVIEWS * 10));
  await database.destroy();
  const built = { cpu: indexCpu, longestStep };
  return { readers: to - from + 1, chosen, index: built, cpu: spent, warm, wall, memory, live, preview };
}

function measureLive(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measureSteps(steps: ReturnType<typeof indexInSteps>): {
  index: CandidateIndex;
  longestStep: number;
} {
  let longestStep = 0;
  for (;;) {
    const from = process.threadCpuUsage();
    const step = steps.next();
    const { user, system } = process.threadCpuUsage(from);
    longestStep = Math.max(longestStep, (user + system) / 1000);
    if (step.done) return { index: step.value, longestStep };
  }
}

/** Previews of readers with ten likes, whose phrases and papers the index sees for the first time. */
function measurePreviews(index: CandidateIndex, profiles: readonly Profile[]): WorkerReport['preview'] {
  const times = profiles
    .filter(({ likes }) => likes.length > 0)
    .slice(0, PREVIEWS)
    .map((profile) => {
      const from = performance.now();
      index.prepare([profile]);
      index.choose(profile, NONE);
      return performance.now() - from;
    })
    .toSorted((a, b) => a - b);
  return {
    candidates: PREVIEW_CANDIDATES,
    median: times[times.length >> 1] ?? Number.NaN,
    slowest: times.at(-1) ?? Number.NaN,
  };
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const [url = '', from = '1', to = '0'] = process.argv.slice(2);
const report = await work(url, Number(from), Number(to));
process.send?.(report);
