import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import { addDays, type IsoDate } from '#src/database/ids.ts';

/** Key of the advisory lock that lets one process at a time make partitions. */
const PARTITION_LOCK = 0x64696773;

/** The ledger's tables, partitioned alike. Of a page of `digests` more than half is left for what becomes of its rows. */
const TABLES = [
  { name: 'digests', settings: 'with (fillfactor = 40)' },
  { name: 'digest_contents', settings: '' },
] as const;
type Table = (typeof TABLES)[number];

/** How long somebody else who makes partitions is waited for, and whoever uses the ledger, in milliseconds. */
const WAIT_MS = { maker: 10_000, ledger: 2_000 };

/**
 * Makes the monthly partitions of the ledger that hold the editions `from` … `to` (both included). Idempotent and
 * safe from several processes. Rows that came before their partition, and so into the default one, are moved.
 * @returns the names of the partitions of `digests` made now
 * @throws the database's error lock_not_available (55P03) when the ledger is in use for too long (a dump): try again later
 */
export async function ensurePartitions(database: Database, from: IsoDate, to: IsoDate): Promise<string[]> {
  const made: string[] = [];
  for (const month of monthsBetween(from, to)) {
    const [ledger] = TABLES;
    if (await exists(database, ledger, month)) continue;
    await database.transaction().execute(async (transaction) => {
      await sql`set local lock_timeout = ${sql.lit(WAIT_MS.maker)}`.execute(transaction);
      await sql`select pg_advisory_xact_lock(${PARTITION_LOCK})`.execute(transaction);
      if (await exists(transaction, ledger, month)) return;
      await sql`set local lock_timeout = ${sql.lit(WAIT_MS.ledger)}`.execute(transaction);
      // Nobody may even plan a query meanwhile: one that has looked which partitions there are, and then waits until rows
      // have moved to a new one, finds them in neither. A claim or a sweep closed blocks whose digests were all waiting.
      await sql`lock table ${sql.join(TABLES.map(({ name }) => sql.table(name)))} in access exclusive mode`.execute(
        transaction,
      );
      for (const table of TABLES) await makePartition(transaction, table, month);
      made.push(partitionName(ledger, month));
    });
  }
  return made;
}

/** Names of the partitions that the editions of `date` should be in and that are not there. */
export async function missingPartitions(db: Queryable, date: IsoDate): Promise<string[]> {
  const month = firstOfMonth(date);
  const there = await Promise.all(TABLES.map((table) => exists(db, table, month)));
  return TABLES.filter((_table, at) => !there[at]).map((table) => partitionName(table, month));
}

/** The first days of the months from that of `from` to that of `to`. */
function monthsBetween(from: IsoDate, to: IsoDate): IsoDate[] {
  const months: IsoDate[] = [];
  for (let month = firstOfMonth(from); month <= to; month = nextMonth(month)) months.push(month);
  return months;
}

const firstOfMonth = (date: IsoDate) => `${date.slice(0, 8)}01` as IsoDate;
const nextMonth = (month: IsoDate) => firstOfMonth(addDays(month, 31));

const partitionName = (table: Table, month: IsoDate) =>
  `${table.name}_${month.slice(0, 7).replace('-', '_')}`;

/** Months whose partitions hold editions before `date` only, as their first days, oldest first. */
export async function monthsBefore(db: Queryable, date: IsoDate): Promise<IsoDate[]> {
  const { rows } = await sql<{ month: IsoDate }>`
    select replace(substr(child.relname, ${'digests_'.length + 1}::int), '_', '-') || '-01' as month
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'digests'::regclass and child.relname ~ '^digests_[0-9]{4}_[0-9]{2}$' order by 1`.execute(
    db,
  );
  return rows.map((row) => row.month).filter((month) => nextMonth(month) <= date);
}

/**
 * Drops the partitions of a month. Digests in doubt are kept, in the default partition. Idempotent and safe from several
 * processes.
 * @param lockMs how long others who use the ledger may make this wait, and it them
 * @throws the database's error lock_not_available (55P03) after that time
 */
export async function dropPartitions(database: Database, month: IsoDate, lockMs: number): Promise<void> {
  const [ledger, contents] = TABLES;
  const part = sql.table(partitionName(ledger, month));
  await database.transaction().execute(async (transaction) => {
    await sql`set local lock_timeout = ${sql.lit(lockMs)}`.execute(transaction);
    await sql`select pg_advisory_xact_lock(${PARTITION_LOCK})`.execute(transaction);
    if (!(await exists(transaction, ledger, month))) return;
    await sql`alter table digests detach partition ${part}`.execute(transaction);
    await sql`insert into digests_default select * from ${part} where in_doubt`.execute(transaction);
    await sql`drop table ${part}, ${sql.table(partitionName(contents, month))}`.execute(transaction);
  });
}

async function exists(db: Queryable, table: Table, month: IsoDate): Promise<boolean> {
  // Not to_regclass: it looks into a cache that may not know yet what another process has just made.
  const { rows } = await sql`
    select from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = ${table.name}::regclass and child.relname = ${partitionName(table, month)}`.execute(db);
  return rows.length > 0;
}

async function makePartition(db: Queryable, table: Table, from: IsoDate): Promise<void> {
  const name = partitionName(table, from);
  const to = nextMonth(from);
  const [whole, rest, part] = [table.name, `${table.name}_default`, name].map((text) => sql.table(text));
  await sql`
    create table ${part} (like ${whole} including defaults including constraints including compression) ${sql.raw(table.settings)}`.execute(
    db,
  );
  // Attaching is refused while the default partition holds rows of the range.
  await sql`
    with moved as (
      delete from ${rest} where edition_date >= ${sql.lit(from)} and edition_date < ${sql.lit(to)} returning *
    ) insert into ${part} select * from moved`.execute(db);
  await sql`
    alter table ${whole} attach partition ${part} for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(
    db,
  );
}
