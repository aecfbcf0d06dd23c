import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import formbody from '@fastify/formbody';
import autocannon from 'autocannon';
import Fastify from 'fastify';
import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { openDatabase } from '#src/database/database.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { ingest } from '#src/papers/ingest.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createTestWeb } from '#test/support/web.ts';

const SLICES = 7;

/**
 * `npm run bench -- web [SECONDS]`: the pages under load, each beside a bare Fastify server in the same run and process.
 * Server, database and load share the machine, so only the ratios mean anything.
 *
 * - subscribe: the form with all its checks (time, trap, cross-site, rate, address, caps, suppression; subscriber,
 *   confirmation, mail and event written) against a bare route that validates an address and does one insert
 * - start page: the cached page against a bare route that sends the same bytes
 */
export async function run(args: string[]): Promise<void> {
  const seconds = Number(args[0] ?? 14);
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-bench-'));
  const server = await startEmbeddedPostgres(folder, {});
  const database = openDatabase(server.url, { max: 10 });
  try {
    await migrateDatabase(database);
    await sql`create table bare (id bigint generated always as identity primary key, email text not null)`.execute(
      database,
    );
    await measure(database, seconds);
  } finally {
    await database.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(database: Database, seconds: number): Promise<void> {
  const web = await createTestWeb(database, {
    subscribers: { caps: { perAddressAndDay: 3, perIpAndHour: 1e9, overallPerHour: 1e9 } },
    options: { postsPerMinute: 1e9 },
  });
  const source = createSources().get('sample');
  if (!source) throw new Error('no sample');
  await ingest({ items: source.read({ now: web.clock.now }), store: web.papers });
  Object.defineProperty(web.clock, 'now', { get: () => new Date() });
  const page = Buffer.from(
    (await web.app.inject({ url: '/', headers: { 'accept-encoding': 'br' } })).rawPayload,
  );
  const bare = await bareServer(database, page);
  const ours = await web.app.listen({ port: 0, host: '127.0.0.1' });
  const theirs = await bare.listen({ port: 0, host: '127.0.0.1' });
  const time = await formTime(ours);

  const results = {
    subscribe: await versus(
      seconds,
      { url: `${ours}/subscribe`, body: form(time) },
      { url: `${theirs}/subscribe`, body: form('') },
    ),
    start: await versus(seconds, { url: ours }, { url: theirs }),
  };
  const stored = await database
    .selectFrom('notices')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  console.table(
    Object.entries(results).map(([name, { our, bare: base, ratio }]) => ({
      what: name,
      'requests/s': Math.round(our.requests.average),
      'bare requests/s': Math.round(base.requests.average),
      ratio: Number(ratio.toFixed(2)),
      'p50 ms': our.latency.p50,
      'p99 ms': our.latency.p99,
      errors: our.errors + our.non2xx - expectedRedirects(name, our),
    })),
  );
  console.log(
    `confirmation mails planned: ${stored.n}; start page over the wire (brotli): ${page.length} bytes`,
  );
  await web.app.close();
  await bare.close();
}

/** A subscription answers 303, which autocannon counts among the answers that are no 2xx. */
const expectedRedirects = (name: string, result: autocannon.Result): number =>
  name === 'subscribe' ? result['3xx'] : 0;

/** The hidden field of a form; the first requests come too soon after it and are sent again by nobody. */
async function formTime(url: string): Promise<string> {
  const text = await (await fetch(`${url}/subscribe`)).text();
  const found = /name="time" value="([^"]+)"/.exec(text)?.[1];
  if (!found) throw new Error('no time in the form');
  return found;
}

type Target = { readonly url: string; readonly body?: (n: number) => string };

type Versus = { readonly our: autocannon.Result; readonly bare: autocannon.Result; readonly ratio: number };

/**
 * Both servers in turn, in short slices, after one that warms up: the machine may be loaded by others, and a pair of
 * neighbours sees the same load. The pair with the median ratio counts.
 */
async function versus(seconds: number, our: Target, bare: Target): Promise<Versus> {
  await load(1, our);
  await load(1, bare);
  const pairs: Versus[] = [];
  for (let i = 0; i < SLICES; i++) {
    const pair = { our: await load(seconds / SLICES, our), bare: await load(seconds / SLICES, bare) };
    pairs.push({ ...pair, ratio: pair.our.requests.total / pair.bare.requests.total });
  }
  return pairs.toSorted((a, b) => a.ratio - b.ratio)[SLICES >> 1] as Versus;
}

let sent = 0;
const form = (time: string) => (n: number) =>
  new URLSearchParams({
    email: `reader${n}@example.org`,
    time,
    timezone: 'Europe/Berlin',
    website: '',
  }).toString();

function load(seconds: number, target: Target): Promise<autocannon.Result> {
  const { body } = target;
  return autocannon({
    url: target.url,
    connections: 100,
    duration: seconds,
    headers: { 'accept-encoding': 'br' },
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

/** What Fastify does with nothing of ours: a validated insert, and the same bytes from memory. */
async function bareServer(database: Database, page: Buffer) {
  const app = Fastify({ logger: false });
  await app.register(formbody);
  const body = {
    type: 'object',
    required: ['email'],
    properties: { email: { type: 'string', pattern: '^[^@]+@[^@]+$' } },
  };
  app.post('/subscribe', { schema: { body } }, async (request, reply) => {
    const { email } = request.body as { email: string };
    await sql`insert into bare (email) values (${email})`.execute(database);
    return reply.redirect('/check-your-mail', 303);
  });
  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-encoding', 'br').send(page),
  );
  return app;
}
