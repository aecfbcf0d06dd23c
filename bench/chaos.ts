// `npm run chaos`: kills, breaks and stalls everything around a delivery, and judges at the sink what became of it.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { hasRedis } from '#test/support/redis.ts';
import type { Case, CaseEnd } from './chaos/case.ts';
import { CASES, prepare } from './chaos/cases.ts';
import { hasContainers } from './chaos/container.ts';
import { judge, type Verdict } from './chaos/judge.ts';
import { mountSmallDisk, type SmallDisk } from './chaos/small-disk.ts';
import { openStage, type Stage } from './chaos/stage.ts';

const HELP = `npm run chaos -- [options]

  --readers N     readers of each case (default 1000)
  --kills N       kills of the random case (default 20)
  --backend B     postgres | redis | both (default both; redis needs redis-server)
  --cases TEXT    only cases whose name contains TEXT
  --connections N SMTP connections of a worker (default 4)
  --seed N        of the random kills (default 1)
  --quick         a short version for CI: nine cases with 150 readers, on PostgreSQL
  --json          the table as JSON
`;

const { values } = parseArgs({
  options: {
    readers: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '20' },
    backend: { type: 'string', default: 'both' },
    cases: { type: 'string', default: '' },
    connections: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Result of one case on one backend. */
type Row = { readonly case: string; readonly backend: string; readonly seconds: number } & (
  | ({ readonly bound: number; readonly passed: boolean } & Verdict)
  | { readonly passed: false; readonly fault: string }
);

/** mulberry32: small, seeded, good enough to spread kills. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A case that makes no progress for this long has failed; milliseconds. */
const STUCK_MS = 100_000;

/** Waits for a share of the messages, or (for 1) until the ledger has nothing open; moves due times so that it ends soon. */
async function waitForShare(stage: Stage, readers: number, share: number): Promise<void> {
  let last = -1;
  let since = performance.now();
  for (let round = 0; ; round++) {
    if (share < 1 && stage.sink.messages.length >= readers * share) return;
    if (round % 4 === 0) await stage.askForSweep();
    const open = await openRows(stage).catch(() => null);
    if (open === 0) return;
    if (stage.sink.messages.length !== last) since = performance.now();
    last = stage.sink.messages.length;
    if (performance.now() - since > STUCK_MS)
      throw new Error(`stuck: ${open ?? 'unknown'} rows are open\n${stage.lastWords()}`);
    await delay(share < 1 ? 20 : 250);
  }
}

/** Rows without an end. Deferrals and resends come due at once: waiting for them proves nothing. */
async function openRows(stage: Stage): Promise<number> {
  const database = stage.database();
  await sql`update digests set due_at = now() - interval '2 minutes' where state = 'deferred' and due_at > now()`.execute(
    database,
  );
  await sql`update digests set finished_at = finished_at - interval '2 minutes'
            where state = 'unknown' and not resent and finished_at > now() - interval '1 minute'`.execute(
    database,
  );
  const { rows } = await sql<{ open: number; unplanned: number }>`
    select (select count(*) from digests where state in ('planned', 'claimed', 'handed_over', 'deferred')
            or (state = 'unknown' and not resent)) as open,
           (select count(*) from schedules where next_digest_at <= now()) as unplanned`.execute(database);
  return (rows[0]?.open ?? 0) + (rows[0]?.unplanned ?? 0);
}

async function playCase(stage: Stage, one: Case, backend: string, seed: number): Promise<Row> {
  const readers = Number(values.readers);
  await prepare(stage, one, readers);
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 100) / 10;
  let end: CaseEnd;
  try {
    end = await one.play({
      stage,
      readers,
      kills: Number(values.kills),
      random: createRandom(seed),
      taken: (share) => waitForShare(stage, readers, share),
    });
  } catch (error) {
    return { case: one.name, backend, seconds: seconds(), passed: false, fault: String(error) };
  }
  const verdict = await judge(stage, end.forbidden);
  const clean = verdict.lost + verdict.silentlyRepeated + verdict.doubled + verdict.forbidden === 0;
  const passed = clean && verdict.readers === readers && verdict.ambiguous <= end.bound;
  return { case: one.name, backend, seconds: seconds(), bound: end.bound, passed, ...verdict };
}

function show(row: Row): string {
  const head = `${row.passed ? 'ok  ' : 'FAIL'} ${row.backend.padEnd(9)}${row.case.padEnd(56)}`;
  if ('fault' in row) return `${head}${row.fault}`;
  const numbers = [row.taken, row.lost, row.silentlyRepeated + row.doubled, row.forbidden];
  const cells = [...numbers, `${row.ambiguous} ≤ ${row.bound}`, row.seconds].map((cell) =>
    String(cell).padStart(10),
  );
  const states = Object.entries(row.states).map(([state, n]) => `${state} ${n}`);
  return `${head}${cells.join('')}  ${states.join(', ')}`;
}

/** The cases of `--quick`: one of each kind. */
const QUICK = [
  'kill -9 at content (37th)',
  'kill -9 while rows are handed_over',
  'PostgreSQL killed',
  'relay: drops before DATA',
  'readers leave between plan and send',
  'connections to the database cut at random, before or after a statement',
  'summer time begins in the run (2027-03-28)',
  'kill -9 while many confirmations are due',
  'one of two relays takes small messages only (SIZE)',
];

/** Plays cases one after the other on one stage. */
async function playOn(backend: string, cases: readonly Case[], disk?: SmallDisk): Promise<Row[]> {
  const rows: Row[] = [];
  if (cases.length === 0) return rows;
  const stage = await openStage({
    backend: backend === 'redis' ? 'redis' : 'postgres',
    connections: Number(values.connections),
    ...(disk === undefined ? {} : { disk: disk.folder }),
  });
  const stop = async () => {
    await stage.destroy().catch(() => undefined);
    await disk?.unmount();
    process.exit(130);
  };
  const onSignal = () => void stop();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    for (const one of cases) {
      const row = await playCase(stage, one, backend, Number(values.seed));
      rows.push(row);
      if (!values.json) console.log(show(row));
    }
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await stage.destroy();
  }
  return rows;
}

async function playOnSmallDisk(backend: string, cases: readonly Case[]): Promise<Row[]> {
  const disk = await mountSmallDisk();
  if (!disk) {
    console.error(
      `Skipped, for a file system of its own can't be mounted here (root can): ${cases.map((one) => one.name).join(', ')}`,
    );
    return [];
  }
  try {
    return await playOn(backend, cases, disk);
  } finally {
    await disk.unmount();
  }
}

async function main(): Promise<number> {
  if (values.quick) Object.assign(values, { readers: '150', backend: 'postgres' });
  const wanted = values.backend === 'both' ? ['postgres', 'redis'] : [values.backend];
  const rows: Row[] = [];
  if (!values.json) {
    const names = ['taken', 'lost', 'repeated', 'forbidden', 'ambiguous', 'seconds'];
    console.log(
      `     ${'queue'.padEnd(9)}${'case'.padEnd(56)}${names.map((name) => name.padStart(10)).join('')}`,
    );
  }
  for (const backend of wanted) {
    if (backend === 'redis' && !hasRedis) {
      console.log('Redis cases skipped: no redis-server is installed.');
      continue;
    }
    const chosen = CASES.filter(
      (one) => one.name.includes(values.cases) && (!values.quick || QUICK.includes(one.name)),
    );
    const usual = chosen.filter(
      (one) =>
        one.needs === undefined || one.needs === backend || (one.needs === 'container' && hasContainers()),
    );
    for (const one of chosen)
      if (one.needs === 'container' && !usual.includes(one))
        console.error(`Skipped, for namespaces can't be made here (root can): ${one.name}`);
    rows.push(...(await playOn(backend, usual)));
    const onSmallDisk = chosen.filter((one) => one.needs === 'small-disk');
    if (onSmallDisk.length > 0) rows.push(...(await playOnSmallDisk(backend, onSmallDisk)));
  }
  const failed = rows.filter((row) => !row.passed).length;
  if (values.json) console.log(JSON.stringify({ seed: Number(values.seed), rows, failed }, null, 2));
  else
    console.log(
      failed === 0 ? `All ${rows.length} cases passed.` : `${failed} of ${rows.length} cases FAILED.`,
    );
  return failed === 0 ? 0 : 1;
}

if (values.help) console.log(HELP);
else process.exitCode = await main();
