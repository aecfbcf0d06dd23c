import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '#src/database/database.ts';
import { addDays, utcDate } from '#src/database/ids.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { ensurePartitions } from '#src/digests/partition-store.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { runningServer } from '#src/embedded/server-process.ts';
import { hasRedis, startRedis } from '#test/support/redis.ts';
import { benchSink } from './delivery/against-source.ts';
import { fillBench, makeDue } from './delivery/fixture.ts';
import type { Parts } from './delivery/parts.ts';
import { type Bench, endToEnd, type Figures, median, perSecond, yardstick } from './delivery/run-service.ts';
import { type BenchServer, findPostfixTools, startScript } from './delivery/tools.ts';

const HELP = `npm run bench -- delivery [options]

  --readers N     readers of a run (default 5000)
  --large N       readers of the large run of "cost per digest" (default 4 × readers)
  --warm N        digests that a process delivers before the clock starts (default 20000), see below
  --rounds N      every figure is the median of so many rounds (default 3)
  --connections N SMTP connections (default 10)
  --only A,B      only these parts: sink, parts, null, dkim, scale, redis, latency, urgent
  --json          every figure, and the ratios

A worker runs for weeks; one that has just started compiles for its first one or two seconds. Part "sink" measures both: names that end
in "Cold" (toSmtpSourceCold …) are of a process that has just started, those without (toSmtpSource …) of one that runs: it has planned and
delivered yesterday's edition to --warm readers before today's is measured. nodemailer's pool gets the same, counted in messages; smtp-source
is C and needs none. Of all the other parts there is the running process only, in "scale" for both sizes, except "latency" (just started:
the warm-up would take most of a minute). --warm 0 leaves the running process out, and all figures are of one that has just started.
Memory is the most that was seen in either, warm-up included.
`;

const round = (value: number, digits = 3): number => Number(value.toFixed(digits));

/** Entry of `npm run bench -- delivery`. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      readers: { type: 'string', default: '5000' },
      large: { type: 'string' },
      warm: { type: 'string', default: '20000' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '10' },
      only: { type: 'string', default: 'sink,parts,null,dkim,scale,redis,latency,urgent' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const readers = Number(values.readers);
  const parts = new Set(values.only.split(','));
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-bench-'));
  const server = await startEmbeddedPostgres(join(folder, 'postgres'));
  const database = openDatabase(server.url, { max: 2 });
  const figures: Figures = {};
  const ratios: Figures = {};
  const bench: Bench = {
    databaseUrl: server.url,
    databasePid: (await runningServer(join(folder, 'postgres', 'cluster')))?.pid ?? 0,
    connections: Number(values.connections),
    rounds: Number(values.rounds),
    warm: Number(values.warm),
    fill: (fixture) => fillBench(database, fixture),
    makeDue: (count) => makeDue(database, count),
    say: (line) => {
      if (!values.json) console.log(line);
    },
  };
  try {
    await migrateDatabase(database);
    const today = utcDate(new Date());
    await ensurePartitions(database, addDays(today, -1), today);
    const tools = findPostfixTools();
    if (!tools) bench.say('no smtp-sink (postfix) here: the ratios to smtp-source are left out');
    if (parts.has('sink') && tools) await benchSink(bench, tools, readers, figures, ratios);
    if (parts.has('parts')) await benchParts(bench, readers, figures);
    if (parts.has('null')) await benchNull(bench, readers, figures, ratios);
    if (parts.has('dkim')) await benchDkim(bench, readers, figures, ratios);
    if (parts.has('scale'))
      await benchScale(bench, readers, Number(values.large ?? readers * 4), figures, ratios);
    if (parts.has('redis')) await benchRedis(bench, readers, figures, ratios);
    if (parts.has('latency')) await benchLatency(bench, figures, ratios);
    if (parts.has('urgent')) await benchUrgent(bench, readers, figures);
  } finally {
    await database.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  for (const map of [figures, ratios])
    for (const key of Object.keys(map)) map[key] = round(map[key] ?? Number.NaN);
  if (values.json)
    console.log(
      JSON.stringify({ readers, warm: bench.warm, connections: bench.connections, figures, ratios }, null, 2),
    );
  else console.table(ratios);
}

/** Where the CPU goes: one profiled run, its shares of what a digest costs without the profiler. */
const benchParts = (bench: Bench, readers: number, figures: Figures) =>
  withNullSink(0, async (sink) => {
    const plain = await endToEnd(bench, sink, readers);
    const { shares } = await endToEnd(bench, sink, readers, { flags: ['--parts'] });
    for (const [part, share] of Object.entries(shares as Parts))
      figures[`cpuUs ${part}`] = share * plain.cpuUs;
    figures['cpuUs PostgreSQL server'] = plain.databaseCpuUs;
    bench.say(
      `CPU per digest: ${plain.cpuUs.toFixed(0)} µs, PostgreSQL ${plain.databaseCpuUs.toFixed(0)} µs; ` +
        Object.entries(shares as Parts)
          .sort(([, a], [, b]) => b - a)
          .map(([part, share]) => `${part} ${(share * plain.cpuUs).toFixed(0)}`)
          .join(', '),
    );
  });

const withNullSink = async (latencyMs: number, work: (sink: BenchServer) => Promise<void>) => {
  const sink = await startScript('null-sink.ts', [String(latencyMs)]);
  try {
    await work(sink);
  } finally {
    await sink.stop();
  }
};

/** Into a sink that only reads and answers, against a loop with one fixed buffer. */
const benchNull = (bench: Bench, readers: number, figures: Figures, ratios: Figures) =>
  withNullSink(0, async (sink) => {
    const shares: number[] = [];
    for (let i = 0; i < bench.rounds; i++) {
      const ours = await endToEnd(bench, sink, readers);
      const bare = await yardstick('bare-loop.ts', bench, sink.port, readers, Number(ours.octets));
      shares.push(perSecond(ours) / perSecond(bare));
      figures.nullSinkPerSecond = perSecond(ours);
      figures.bareLoopPerSecond = perSecond(bare);
      bench.say(`null sink: ours ${perSecond(ours).toFixed(0)}/s, bare loop ${perSecond(bare).toFixed(0)}/s`);
    }
    ratios.toBareLoop = median(shares);
  });

/** With RSA-2048 signatures by two processes, against what openssl signs on all cores. */
const benchDkim = (bench: Bench, readers: number, figures: Figures, ratios: Figures) =>
  withNullSink(0, async (sink) => {
    const signing = opensslPerSecond();
    if (signing === null) return bench.say('no openssl here: the DKIM ratio is left out');
    const count = Math.min(readers, 10_000);
    const flags = ['--dkim', '--concurrency', '4', '--shared'];
    // Both plan and deliver what they find, until all is sent.
    const { seconds } = await endToEnd({ ...bench, connections: 5 }, sink, count, { flags, processes: 2 });
    figures.dkimPerSecond = count / seconds;
    figures.opensslSignaturesPerSecond = signing;
    ratios.dkimToSigningLimit = count / seconds / signing;
    bench.say(`DKIM: ${(count / seconds).toFixed(0)}/s, openssl signs ${signing.toFixed(0)}/s`);
  });

/** RSA-2048 signatures a second with two processes, the number of ours. */
function opensslPerSecond(): number | null {
  try {
    const options = { encoding: 'utf8' as const, stdio: 'pipe' as const };
    const text = execFileSync('openssl', ['speed', '-seconds', '3', '-multi', '2', 'rsa2048'], options);
    return Number(/rsa\s+2048 bits\s+\S+\s+\S+\s+([\d.]+)/.exec(text)?.[1]) || null;
  } catch {
    return null;
  }
}

/** Cost per digest of a large run against a small one: CPU of our process, and time. */
const benchScale = (bench: Bench, small: number, large: number, figures: Figures, ratios: Figures) =>
  withNullSink(0, async (sink) => {
    const one = await endToEnd(bench, sink, small);
    const many = await endToEnd(bench, sink, large);
    figures.smallRunUsPerDigest = (one.seconds / small) * 1e6;
    figures.largeRunUsPerDigest = (many.seconds / large) * 1e6;
    figures.largeRunRssMb = many.rssMb;
    ratios.costLargeToSmall = many.seconds / large / (one.seconds / small);
    ratios.cpuLargeToSmall = many.cpuUs / one.cpuUs;
    bench.say(
      `scale: ${small} and ${large} readers, cost × ${ratios.costLargeToSmall.toFixed(2)}, ${many.rssMb} MB`,
    );
  });

async function benchRedis(bench: Bench, readers: number, figures: Figures, ratios: Figures): Promise<void> {
  if (!hasRedis) return bench.say('no redis-server here: left out');
  const redis = await startRedis();
  try {
    await withNullSink(0, async (sink) => {
      const shares: number[] = [];
      for (let i = 0; i < bench.rounds; i++) {
        const onRedis = await endToEnd(bench, sink, readers, { flags: ['--redis', redis.url] });
        const onPostgres = await endToEnd(bench, sink, readers);
        shares.push(perSecond(onRedis) / perSecond(onPostgres));
        figures.redisPerSecond = perSecond(onRedis);
        figures.postgresPerSecond = perSecond(onPostgres);
      }
      ratios.redisToPostgres = median(shares);
      bench.say(`queue on Redis ÷ on PostgreSQL: ${ratios.redisToPostgres.toFixed(2)}`);
    });
  } finally {
    await redis.destroy();
  }
}

/** 50 ms of network and 20 connections: a message costs one round trip, so 400 a second is the bound. */
const benchLatency = (bench: Bench, figures: Figures, ratios: Figures) =>
  withNullSink(50, async (sink) => {
    const connections = 20;
    const count = 4_000;
    const ours = await endToEnd({ ...bench, connections, warm: 0 }, sink, count);
    figures.latencyPerSecond = perSecond(ours);
    ratios.toRoundTripBound = perSecond(ours) / (connections / 0.05);
    bench.say(`50 ms away: ${perSecond(ours).toFixed(0)}/s of ${connections / 0.05}`);
  });

/** How long an urgent message takes while a run is at full speed. */
const benchUrgent = (bench: Bench, readers: number, figures: Figures) =>
  withNullSink(0, async (sink) => {
    const ours = await endToEnd(bench, sink, readers, { flags: ['--probe'] });
    figures.urgentP99Ms = Number(ours.probeP99Ms);
    bench.say(
      `an urgent message during the run: p99 ${figures.urgentP99Ms.toFixed(0)} ms (${String(ours.probes)} of them)`,
    );
  });
