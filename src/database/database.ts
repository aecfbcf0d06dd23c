import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { DB } from './tables.ts';

/** The Kysely client over Paperboy's tables. */
export type Database = Kysely<DB>;
/** A {@link Database} or a transaction on it: what stores accept, so that a use case decides what is atomic. */
export type Queryable = Kysely<DB> | Transaction<DB>;

const INT8 = 20;
const DATE = 1082;
const INT8_ARRAY = 1016;
const DATE_ARRAY = 1182;
const FLOAT4_ARRAY = 1021;

/** Type parsers of this service: `bigint` as number (keys and counts stay below 2^53), `date` as `YYYY-MM-DD`. */
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary') {
      if (oid === INT8) return Number;
      if (oid === DATE) return (text: string) => text;
      // (pg's own reading of number arrays goes character by character.)
      if (oid === INT8_ARRAY || oid === FLOAT4_ARRAY)
        return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number));
      if (oid === DATE_ARRAY) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(','));
    }
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/**
 * Opens a pool on `url` (PostgreSQL 15 or newer). Nothing is connected before the first query.
 * @param options.max connections at most (default 10)
 * @param options.name shown in `pg_stat_activity`
 * @param options.onError told of faults of idle connections (a restarted server); queries in flight reject by themselves
 * @param options.limits milliseconds that a statement may take; see {@link TIME_LIMITS}
 */
export function openDatabase(
  url: string,
  options: {
    max?: number;
    name?: string;
    onError?: (error: Error) => void;
    limits?: typeof TIME_LIMITS;
  } = {},
): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.name ?? 'paperboy',
    types,
    // Neither a proxy that accepts and says nothing, nor transactions that wait for each other's connections, hold for ever.
    connectionTimeoutMillis: options.limits?.often ?? TIME_LIMITS.often,
    // What a connection has prepared goes with it.
    maxLifetimeSeconds: 3_600,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, its types don't say so
    onConnect: (client) => prepareClient(client as pg.PoolClient, options.limits ?? TIME_LIMITS),
  });
  pool.on('error', (error) => options.onError?.(error));
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/** The pool gives a new client out when this is done. */
async function prepareClient(client: pg.PoolClient, limits: typeof TIME_LIMITS): Promise<void> {
  // A client that is checked out and between two queries has no listener of the pool: a server that goes down in that
  // moment would end this process. Its next query rejects anyway.
  client.on('error', () => undefined);
  nameStatements(client, limits);
  await client.query(`${RUNS_OFTEN}select
    set_config('idle_in_transaction_session_timeout', '${limits.idle}', false),
    -- what was handed over or sent must not be forgotten by a server that crashes; what waits for a standby is left as it is
    set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on'
                                     else current_setting('synchronous_commit') end, false),
    -- what our statements are written for: who waits for a row goes on with what it has become
    set_config('default_transaction_isolation', 'read committed', false)`);
}

/**
 * How long an answer is waited for, in milliseconds: `often` for what runs often and is short (PREPARED). What is between
 * us and the server may swallow octets and keep the connection open, which TCP never notices. The connection is then
 * given up, and what became of the statement is as unknown as after any lost connection.
 * `idle`: how long the server waits for the next statement of a transaction. A process that was stopped in one, or whose machine is
 * gone, must not keep what it has locked (the planner: 500 readers, who got nothing) until TCP notices, which takes hours.
 */
export const TIME_LIMITS = { often: 60_000, other: 15 * 60_000, idle: 5 * 60_000 };

const unhurried = new AsyncLocalStorage<true>();
/** Does `work` without limits of time for its statements: a migration takes as long as it takes. */
export const withoutTimeLimit = <Result>(work: () => Promise<Result>): Promise<Result> =>
  unhurried.run(true, work);

/** read_only_sql_transaction: the server is a standby, or was made read-only. */
const READ_ONLY = '25006';

/** How PREPARED (columns.ts) begins a statement. */
const RUNS_OFTEN = '/* prepared */ ';
type Query = (query: unknown, values?: unknown) => Promise<unknown>;
const statementNames = new Map<string, string>();

/** Gives statements that begin with `PREPARED` (columns.ts) a name, which is all that pg needs to prepare them once. */
function nameStatements(client: pg.PoolClient, limits: typeof TIME_LIMITS): void {
  const plain = client.query.bind(client) as Query;
  const giveUp = (limit: number) =>
    client.connection.stream.destroy(new Error(`the database has not answered for ${limit / 1000} s`));
  const limited = (limit: number, query: unknown, values?: unknown) => {
    const answer = plain(query, values).catch((error: unknown) => {
      // After a fail-over the old server may keep its connections and take nothing any more: its address leads to the new one.
      if ((error as { code?: string }).code === READ_ONLY) client.connection.stream.destroy();
      throw error;
    });
    if (unhurried.getStore()) return answer;
    const timer = setTimeout(giveUp, limit, limit);
    return answer.finally(() => clearTimeout(timer));
  };
  const query: Query = (text, values) => {
    if (typeof text !== 'string' || !text.startsWith(RUNS_OFTEN)) return limited(limits.other, text, values);
    let name = statementNames.get(text);
    if (name === undefined) statementNames.set(text, (name = `paperboy ${statementNames.size}`));
    return limited(limits.often, { name, text, values });
  };
  client.query = query as typeof client.query;
}

/** Milliseconds one trivial query takes; rejects when the database can't be reached. */
export async function pingDatabase(database: Queryable): Promise<number> {
  const start = performance.now();
  await sql`select 1`.execute(database);
  return performance.now() - start;
}
