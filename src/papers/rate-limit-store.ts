import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import { intervalOf, type RateLimit } from './http/rate-limit.ts';

/** First half of the advisory locks that are held while a site is asked. */
const LOCK_SPACE = 7_261_002;

/**
 * One request at a time to a site, and its interval between two, over every process on this database: a session lock
 * (gone with the process that held it) and the time of the last request, by the database's clock.
 * @param options.interval milliseconds between two requests to a site (default: what the site asks for)
 */
export function createSharedRateLimit(
  { database }: { readonly database: Database },
  options: { readonly interval?: (site: string) => number } = {},
): RateLimit {
  const interval = options.interval ?? intervalOf;
  return {
    turn: (site, request) =>
      database.connection().execute(async (session) => {
        await sql`select pg_advisory_lock(${LOCK_SPACE}, hashtext(${site}))`.execute(session);
        try {
          await delay(await waitOf(session, site, interval(site)));
          await noteRequest(session, site);
          return await request();
        } finally {
          await sql`select pg_advisory_unlock(${LOCK_SPACE}, hashtext(${site}))`.execute(session);
        }
      }),
  };
}

/** Milliseconds until the site may be asked again. */
async function waitOf(session: Queryable, site: string, interval: number): Promise<number> {
  const { rows } = await sql<{ wait: number }>`
    select (value::float8 + ${interval}::float8 - extract(epoch from clock_timestamp()) * 1000)::float8 as wait
    from settings where key = ${keyOf(site)}`.execute(session);
  return Math.max(0, Math.ceil(rows[0]?.wait ?? 0));
}

/** Notes that the site is asked now: after the wait, so that a slow start never shortens the next interval. */
async function noteRequest(session: Queryable, site: string): Promise<void> {
  await sql`
    insert into settings (key, value) values (${keyOf(site)}, to_jsonb(extract(epoch from clock_timestamp()) * 1000))
    on conflict (key) do update set value = excluded.value, updated_at = now()`.execute(session);
}

const keyOf = (site: string) => `last-request:${site}`;

/** For one process without a database (a dry run): the same order and spacing, in memory. */
export function createLocalRateLimit(
  options: { readonly interval?: (site: string) => number } = {},
): RateLimit {
  const interval = options.interval ?? intervalOf;
  const turns = new Map<string, Promise<unknown>>();
  const starts = new Map<string, number>();
  const inTurn = async <T>(site: string, request: () => Promise<T>): Promise<T> => {
    const wait = (starts.get(site) ?? Number.NEGATIVE_INFINITY) + interval(site) - performance.now();
    // A timer that holds the process: a command that waits for its turn has nothing else to stay for.
    if (wait > 0) await delay(Math.ceil(wait));
    starts.set(site, performance.now());
    return await request();
  };
  return {
    async turn(site, request) {
      const mine = (turns.get(site) ?? Promise.resolve()).then(() => inTurn(site, request));
      turns.set(
        site,
        mine.catch(() => undefined),
      );
      return await mine;
    },
  };
}
