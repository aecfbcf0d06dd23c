import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { PaperId } from '#src/database/ids.ts';
import { columnArrays, columnAssignments, columnNames, columnValues, rowColumns } from './columns.ts';
import type { PaperRow } from './paper-row.ts';
import type { StoredWork, Work } from './works.ts';

/** The stored works that go by any of these names, each with all of its names. */
export async function loadWorks(database: Queryable, names: readonly string[]): Promise<StoredWork[]> {
  const { rows } = await sql<PaperRow & { id: PaperId; identifiers: string[] }>`
    select p.id, ${rowColumns},
      array(select identifier from paper_identifiers i where i.paper_id = p.id) as identifiers
    from papers p
    where p.id in (select paper_id from paper_identifiers where identifier = any(${names}::text[]))`.execute(
    database,
  );
  return rows.map(({ id, identifiers, ...row }) => ({ id, row, identifiers }));
}

/**
 * Writes what changed of some works, gives new ones their ids (in `work.id`) and registers their names.
 * @returns the ids of the rows made now
 */
export async function writeWorks(database: Queryable, works: readonly Work[]): Promise<PaperId[]> {
  const known = works.filter((work) => work.id !== null && work.changed);
  const fresh = works.filter((work) => work.id === null);
  if (known.length > 0) await updateRows(database, known);
  const created = fresh.length > 0 ? await insertRows(database, fresh) : [];
  await insertIdentifiers(database, works);
  return created;
}

async function insertRows(database: Queryable, works: readonly Work[]): Promise<PaperId[]> {
  const { rows } = await sql<{ id: PaperId; identity: string }>`
    insert into papers (${columnNames})
    select ${columnValues} from unnest(${columnArrays(works.map(({ row }) => row))}) as t(${columnNames})
    returning id, identity`.execute(database);
  const ids = new Map(rows.map(({ id, identity }) => [identity, id]));
  for (const work of works) work.id = ids.get(work.row.identity) ?? null;
  return rows.map(({ id }) => id);
}

async function updateRows(database: Queryable, works: readonly Work[]): Promise<void> {
  await sql`
    update papers set ${columnAssignments}, updated_at = now()
    from unnest(${works.map(({ id }) => id)}::bigint[], ${columnArrays(works.map(({ row }) => row))})
      as t(id, ${columnNames})
    where papers.id = t.id`.execute(database);
}

async function insertIdentifiers(database: Queryable, works: readonly Work[]): Promise<void> {
  const pairs = works.flatMap((work) =>
    [...work.identifiers].map((identifier) => ({ identifier, id: work.id })),
  );
  await sql`
    insert into paper_identifiers (identifier, paper_id)
    select * from unnest(${pairs.map(({ identifier }) => identifier)}::text[], ${pairs.map(({ id }) => id)}::bigint[])
    on conflict (identifier) do nothing`.execute(database);
}
