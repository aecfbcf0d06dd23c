import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import { addDays, type IsoDate } from '#src/database/ids.ts';

/** Key of the advisory lock that lets one process at a time make partitions. */
const PARTITION_LOCK = 0x64696773;

/**
 * Makes the monthly partitions of the ledger that hold the editions `from` … `to` (both included). Idempotent and
 * safe from several processes. Rows that came before their partition, and so into the default one, are moved.
 * @returns the names of the partitions made now
 */
export async function ensurePartitions(database: Database, from: IsoDate, to: IsoDate): Promise<string[]> {
  const made: string[] = [];
  for (const month of monthsBetween(from, to)) {
    const name = `digests_${month.slice(0, 7).replace('-', '_')}`;
    if (await exists(database, name)) continue;
    await database.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${PARTITION_LOCK})`.execute(transaction);
      if (await exists(transaction, name)) return;
      await makePartition(transaction, name, month, nextMonth(month));
      made.push(name);
    });
  }
  return made;
}

/** The first days of the months from that of `from` to that of `to`. */
function monthsBetween(from: IsoDate, to: IsoDate): IsoDate[] {
  const months: IsoDate[] = [];
  for (let month = firstOfMonth(from); month <= to; month = nextMonth(month)) months.push(month);
  return months;
}

const firstOfMonth = (date: IsoDate) => `${date.slice(0, 8)}01` as IsoDate;
const nextMonth = (month: IsoDate) => firstOfMonth(addDays(month, 31));

async function exists(db: Queryable, name: string): Promise<boolean> {
  // Not to_regclass: it looks into a cache that may not know yet what another process has just made.
  const { rows } = await sql`
    select from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'digests'::regclass and child.relname = ${name}`.execute(db);
  return rows.length > 0;
}

async function makePartition(db: Queryable, name: string, from: IsoDate, to: IsoDate): Promise<void> {
  const table = sql.table(name);
  await sql`create table ${table} (like digests including defaults including constraints)`.execute(db);
  // Attaching is refused while the default partition holds rows of the range.
  await sql`lock table digests in share row exclusive mode`.execute(db);
  await sql`
    with moved as (
      delete from digests_default where edition_date >= ${sql.lit(from)} and edition_date < ${sql.lit(to)} returning *
    ) insert into ${table} select * from moved`.execute(db);
  await sql`
    alter table digests attach partition ${table} for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(
    db,
  );
}
