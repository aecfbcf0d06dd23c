import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { sql } from 'kysely';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { fillBench } from './delivery/fixture.ts';
import { measure, startScript } from './delivery/tools.ts';
import type { Servers } from './web/server.ts';

const SLICES = 7;
/** Requests a second while latency is measured: many visitors, far from what the server can do. */
const CALM_RATE = 200;

/**
 * `npm run bench -- web [--seconds 14] [--readers 150000] [--connections 100] [--json]`: the pages under load, each beside a bare Fastify
 * server in the same run; servers in one process, load in another. All share the machine, so only the ratios mean anything.
 *
 * - subscribe: the form with all its checks (time, trap, cross-site, rate, address), and the request in the inbox, against a bare
 *   route that validates an address and does one insert; meanwhile requests are worked off at their pace (caps, suppression;
 *   subscriber, confirmation, mail and event written): see `inbox`
 * - start page: the cached page against a bare route that sends the same bytes
 * - both at a moderate rate: first byte, alone and while a worker process delivers to `--readers` readers at full speed
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '14' },
      readers: { type: 'string', default: '150000' },
      connections: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-bench-'));
  const server = await startEmbeddedPostgres(folder, {});
  try {
    await prepare(server.url);
    const { servers, child } = await startServers(server.url);
    try {
      const figures = await measureAll(servers, server.url, {
        seconds: Number(values.seconds),
        readers: Number(values.readers),
        connections: Number(values.connections),
      });
      if (values.json) console.log(JSON.stringify(figures));
      else print(figures);
    } finally {
      child.kill('SIGTERM');
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(url: string): Promise<void> {
  const database = openDatabase(url, { max: 1 });
  await migrateDatabase(database);
  await sql`create table bare (id bigint generated always as identity primary key, email text not null)`.execute(
    database,
  );
  await database.destroy();
}

async function startServers(url: string): Promise<{ servers: Servers; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'web/server.ts'), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('exit', (code) => reject(new Error(`the servers ended with ${code}`)));
  });
  return { servers: JSON.parse(line) as Servers, child };
}

type Figures = Awaited<ReturnType<typeof measureAll>>;

type Size = { readonly seconds: number; readonly readers: number; readonly connections: number };

async function measureAll(servers: Servers, url: string, { seconds, readers, connections }: Size) {
  const time = await formTime(servers.ours);
  const subscribe = { url: `${servers.ours}/subscribe`, body: form(time) };
  const start = { url: servers.ours };
  const ratios = {
    subscribe: await versus({ seconds, connections }, subscribe, {
      url: `${servers.bare}/subscribe`,
      body: form(''),
    }),
    start: await versus({ seconds, connections }, start, { url: servers.bare }),
  };
  const inbox = await countRequests(url);
  const alone = { start: await calm(start, 5), subscribe: await calm(subscribe, 5) };
  return {
    ratios,
    inbox,
    latency: { alone, delivering: await whileDelivering(url, readers, { start, subscribe }) },
    pageOctets: servers.pageOctets,
  };
}

/** What became of the requests that were accepted. */
async function countRequests(url: string) {
  const database = openDatabase(url, { max: 1 });
  const { rows } = await sql<{ waiting: number; workedOff: number }>`
    select (select count(*) from subscription_requests) as waiting,
           (select count(*) from confirmations) as "workedOff"`.execute(database);
  await database.destroy();
  return rows[0] as { waiting: number; workedOff: number };
}

function print({ ratios, inbox, latency, pageOctets }: Figures): void {
  console.table(ratios);
  console.log(`requests worked off meanwhile: ${inbox.workedOff}; waiting: ${inbox.waiting}`);
  console.table({
    'start page alone': latency.alone.start,
    'start page while delivering': latency.delivering.start,
    'subscribe alone': latency.alone.subscribe,
    'subscribe while delivering': latency.delivering.subscribe,
  });
  console.log(
    `delivered meanwhile: ${latency.delivering.digestsPerSecond}/s; start page over the wire (brotli): ${pageOctets} bytes`,
  );
}

/** The hidden field of a form, once it is old enough to have been filled in by a person. */
async function formTime(url: string): Promise<string> {
  const text = await (await fetch(`${url}/subscribe`)).text();
  const found = /name="time" value="([^"]+)"/.exec(text)?.[1];
  if (!found) throw new Error('no time in the form');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  return found;
}

type Target = { readonly url: string; readonly body?: (n: number) => string };

/**
 * Both servers in turn, in short slices, after one that warms up: the machine may be loaded by others, and a pair of
 * neighbours sees the same load. The pair with the median ratio counts.
 */
async function versus({ seconds, connections }: Omit<Size, 'readers'>, our: Target, bare: Target) {
  await load(1, our, { connections });
  await load(1, bare, { connections });
  const pairs = [];
  for (let i = 0; i < SLICES; i++) {
    const ours = await load(seconds / SLICES, our, { connections });
    const theirs = await load(seconds / SLICES, bare, { connections });
    pairs.push({
      perSecond: Math.round(ours.requests.average),
      barePerSecond: Math.round(theirs.requests.average),
      ratio: Number((ours.requests.total / theirs.requests.total).toFixed(2)),
      errors: failed(ours, our),
    });
  }
  return pairs.toSorted((a, b) => a.ratio - b.ratio)[SLICES >> 1];
}

/** A subscription answers 303, which autocannon counts among the answers that are no 2xx. */
const failed = (result: autocannon.Result, target: Target): number =>
  result.errors + result.non2xx - (target.body ? result['3xx'] : 0);

let sent = 0;
const form = (time: string) => (n: number) =>
  new URLSearchParams({
    email: `visitor${n}@example.org`,
    time,
    timezone: 'Europe/Berlin',
    website: '',
  }).toString();

function load(seconds: number, target: Target, options: Partial<autocannon.Options>) {
  const { body } = target;
  return autocannon({
    url: target.url,
    duration: seconds,
    headers: { 'accept-encoding': 'br' },
    ...options,
    ...(body
      ? {
          requests: [
            {
              method: 'POST' as const,
              headers: { 'content-type': 'application/x-www-form-urlencoded' },
              setupRequest: (request: autocannon.Request) => ({ ...request, body: body(sent++) }),
            },
          ],
        }
      : {}),
  });
}

/** Milliseconds to the answer at a moderate rate. */
async function calm(target: Target, seconds: number) {
  const result = await load(seconds, target, { connections: 10, overallRate: CALM_RATE });
  const { p50, p90, p99, max } = result.latency;
  return { p50, p90, p99, max, errors: failed(result, target) };
}

/** Latency while a process of its own plans, composes and delivers to readers at full speed, into a sink that only answers. */
async function whileDelivering(url: string, readers: number, targets: { start: Target; subscribe: Target }) {
  const database = openDatabase(url, { max: 1 });
  await fillBench(database, { readers, due: readers });
  await database.destroy();
  const sink = await startScript('null-sink.ts');
  const delivery = measure('end-to-end.ts', [
    '--database',
    url,
    '--port',
    String(sink.port),
    '--readers',
    String(readers),
  ]);
  let running = true;
  const end = () => {
    running = false;
  };
  delivery.then(end, end);
  try {
    // The process reads templates and papers first.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const start = await calm(targets.start, 4);
    const subscribe = await calm(targets.subscribe, 4);
    if (!running) await delivery;
    if (!running) throw new Error('the delivery ended before the measurement did; give more --readers');
    const { messages, seconds } = await delivery;
    return { start, subscribe, digestsPerSecond: Math.round(messages / seconds) };
  } finally {
    await sink.stop();
  }
}
