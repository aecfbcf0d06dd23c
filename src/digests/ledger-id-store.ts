import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/**
 * Names a ledger among all others: the cluster and the database that hold it. Stays the same over restarts, renamed hosts and
 * a failover to a standby, and is another one for a database made anew, whose tokens begin anew.
 * Where the server doesn't tell its cluster to everybody, it names the database within it only.
 */
export async function readLedgerId(database: Database): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    select oid::text as id from pg_database where datname = current_database()`.execute(database);
  const id = rows[0]?.id ?? '';
  const cluster = await sql<{ id: string }>`
    select system_identifier::text as id from pg_control_system()`
    .execute(database)
    .catch(() => null);
  return cluster?.rows[0] ? `${cluster.rows[0].id}-${id}` : id;
}
