import { sql } from 'kysely';
import type { Database } from './database.ts';

/** What a PostgreSQL server says of itself. */
export type ServerFacts = {
  /** As in `18.1`. */
  readonly version: string;
  /** The first part of it. */
  readonly major: number;
  /** Milliseconds that the question took, there and back. */
  readonly latencyMs: number;
  /** Milliseconds by which the server's clock is ahead of ours; below zero: behind. Exact to half of the latency. */
  readonly clockAheadMs: number;
  /** Whether our role may make tables, and the queue's schema. */
  readonly mayCreate: boolean;
  /** Connections that an ordinary role may open at all, those in use now, and those of them that Paperboy's processes hold. */
  readonly connections: { readonly limit: number; readonly used: number; readonly own: number };
};

/** Asks the server about itself; reads only. @param now our clock */
export async function readServerFacts(database: Database, now: () => Date): Promise<ServerFacts> {
  // The first question opens the connection: its time would be the handshake's.
  await sql`select 1`.execute(database);
  const start = performance.now();
  const asked = now().getTime();
  const { rows } = await sql<{ version: string; number: number; at: Date; mayCreate: boolean }>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      clock_timestamp() as at,
      has_database_privilege(current_database(), 'create')
        and has_schema_privilege(coalesce(current_schema(), 'public'), 'create') as "mayCreate"`.execute(
    database,
  );
  const latencyMs = performance.now() - start;
  const [row] = rows;
  if (!row) throw new Error('the server did not answer');
  return {
    version: row.version.split(' ')[0] ?? row.version,
    major: Math.floor(row.number / 10_000),
    latencyMs,
    mayCreate: row.mayCreate,
    clockAheadMs: row.at.getTime() - (asked + latencyMs / 2),
    connections: await readConnections(database),
  };
}

/** Names of our connections: of the pools (`paperboy…`) and of BullMQ's workers (`bull:…`). */
const OWN = '^(paperboy|bull:)';

async function readConnections(database: Database): Promise<ServerFacts['connections']> {
  const { rows } = await sql<ServerFacts['connections']>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        -- PostgreSQL 16 and newer
        - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int as limit,
      count(*)::int as used,
      (count(*) filter (where datname = current_database() and application_name ~ ${OWN}))::int as own
    from pg_stat_activity where backend_type = 'client backend'`.execute(database);
  return rows[0] ?? { limit: 0, used: 0, own: 0 };
}
