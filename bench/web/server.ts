// The pages and a bare Fastify server beside them, as a process of their own, so that the load is not made in it.
// Argument: the database's URL. Prints a line of JSON, see `Servers`, when both listen.
import formbody from '@fastify/formbody';
import Fastify from 'fastify';
import { sql } from 'kysely';
import { type Database, openDatabase } from '#src/database/database.ts';
import { ingest } from '#src/papers/ingest.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { createTestWeb } from '#test/support/web.ts';

/** What the process prints. */
export type Servers = {
  readonly ours: string;
  readonly bare: string;
  /** Octets of the start page over the wire, compressed by brotli. */
  readonly pageOctets: number;
};

const database = openDatabase(process.argv[2] ?? '', { max: 10 });
const web = await createTestWeb(database, {
  settles: false,
  subscribers: { caps: { perAddressAndDay: 3, perIpAndHour: 1e9, overallPerHour: 1e9 } },
  options: { postsPerMinute: 1e9 },
});
const source = createSources().get('sample');
if (!source) throw new Error('no sample');
await ingest({ items: source.read({ now: web.clock.now }), store: web.papers });
Object.defineProperty(web.clock, 'now', { get: () => new Date() });

const { rawPayload } = await web.app.inject({ url: '/', headers: { 'accept-encoding': 'br' } });
const page = Buffer.from(rawPayload);
const bare = await bareServer(database, page);
const servers: Servers = {
  ours: await web.app.listen({ port: 0, host: '127.0.0.1' }),
  bare: await bare.listen({ port: 0, host: '127.0.0.1' }),
  pageOctets: page.length,
};
console.log(JSON.stringify(servers));

process.on('SIGTERM', () => process.exit(0));

/** What Fastify does with nothing of ours: a validated insert, and the same bytes from memory. */
async function bareServer(db: Database, bytes: Buffer) {
  const app = Fastify({ logger: false });
  await app.register(formbody);
  const body = {
    type: 'object',
    required: ['email'],
    properties: { email: { type: 'string', pattern: '^[^@]+@[^@]+$' } },
  };
  app.post('/subscribe', { schema: { body } }, async (request, reply) => {
    const { email } = request.body as { email: string };
    await sql`insert into bare (email) values (${email})`.execute(db);
    return reply.redirect('/check-your-mail', 303);
  });
  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-encoding', 'br').send(bytes),
  );
  return app;
}
