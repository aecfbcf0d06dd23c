import { openDatabase } from '#src/database/database.ts';
import type { PaperId, SubscriberId } from '#src/database/ids.ts';
import { profilesOf } from '#src/digests/profiles.ts';
import { createStatisticsStore } from '#src/digests/statistics-store.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';
import { readCandidates, STATISTICS } from './matching-data.ts';

/** What a worker did; times in milliseconds. */
export type WorkerReport = {
  readonly readers: number;
  readonly chosen: number;
  readonly indexCpu: number;
  readonly chooseCpu: number;
  readonly chooseWall: number;
  /** Largest resident set, bytes. */
  readonly memory: number;
};

const BATCH = 1000;
const NONE: ReadonlySet<PaperId> = new Set();

/** Streams readers `from` … `to` (ids) in batches: profiles from the database, papers chosen, nothing kept. */
async function work(url: string, from: number, to: number): Promise<WorkerReport> {
  const database = openDatabase(url, { max: 2 });
  const topics = createTopicStore({ database });
  const start = cpu();
  const { candidates, earlier } = await readCandidates(database);
  const statistics = await createStatisticsStore({ database }).load(STATISTICS);
  const index = indexCandidates(candidates, await topics.catalogue(), earlier, statistics);
  const indexCpu = cpu() - start;
  const [chooseStart, wallStart] = [cpu(), performance.now()];
  let chosen = 0;
  for (let first = from; first <= to; first += BATCH) {
    const readers = Array.from({ length: Math.min(BATCH, to - first + 1) }, (_, at) => ({
      id: (first + at) as SubscriberId,
      dial: 30,
      fillWithTrending: true,
      papersPerDigest: 10,
    }));
    const profiles = [...(await profilesOf(topics, database, readers)).values()];
    index.prepare(profiles);
    for (const profile of profiles) chosen += index.choose(profile, NONE).length;
  }
  const report = {
    readers: to - from + 1,
    chosen,
    indexCpu,
    chooseCpu: cpu() - chooseStart,
    chooseWall: performance.now() - wallStart,
    memory: process.resourceUsage().maxRSS * 1024,
  };
  await database.destroy();
  return report;
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const [url = '', from = '1', to = '0'] = process.argv.slice(2);
const report = await work(url, Number(from), Number(to));
process.send?.(report);
