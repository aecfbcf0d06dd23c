import { sql } from 'kysely';
import { bigints, joinedIds, PREPARED, splitIds, texts } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { DigestId, IsoDate } from '#src/database/ids.ts';
import type { PlannedDigest } from './digest.ts';
import type { InsertedDigest } from './ledger.ts';
import { BLOCK_SIZE } from './ranges.ts';
import { writeReasons } from './reasons-text.ts';

/** See `Ledger.insert`: a statement for each block of ids. */
export async function insertRows(
  db: Queryable,
  rows: readonly PlannedDigest[],
  now: Date,
): Promise<InsertedDigest[]> {
  const inserted: InsertedDigest[] = [];
  for (const [editionDate, planned] of Map.groupBy(rows, (row) => row.editionDate)) {
    for (let start = 0; start < planned.length; start += BLOCK_SIZE)
      inserted.push(...(await insertBlock(db, editionDate, planned.slice(start, start + BLOCK_SIZE), now)));
  }
  return inserted;
}

/**
 * Writes rows under the ids of a new block, in their order, and the reasons of all of them as one text, a line for each
 * id: a row of their own for each digest costs twice the digest itself, and compresses badly.
 */
async function insertBlock(
  db: Queryable,
  editionDate: IsoDate,
  rows: readonly PlannedDigest[],
  now: Date,
): Promise<InsertedDigest[]> {
  // Due at once also where an operator plans as if it were tomorrow (`plan --now`).
  const result = await sql<{ first: number; ids: string | null }>`${PREPARED}
    with block as materialized (select nextval('digest_ids') as first), written as (
      insert into digests (id, edition_date, subscriber_id, kind, state, skip_reason, paper_ids, candidates, had,
                           slot_at, due_at, deadline, finished_at)
      select block.first + g.n - 1, ${editionDate}::date, g.subscriber, g.kind,
             case when g.skip is null then 'planned' else 'skipped' end, g.skip, g.papers::bigint[], g.candidates, g.had,
             to_timestamp(g.slot_ms::float8 / 1000),
             least(to_timestamp(g.slot_ms::float8 / 1000), clock_timestamp()),
             to_timestamp(g.deadline_ms::float8 / 1000), case when g.skip is not null then ${now}::timestamptz end
      from block, rows from (
        unnest(${bigints(rows.map((row) => row.subscriberId))}, ${bigints(rows.map((row) => row.content.candidates))},
               ${bigints(rows.map((row) => row.content.had))}, ${bigints(rows.map((row) => row.slotAt.getTime()))},
               ${bigints(rows.map((row) => row.deadline.getTime()))}),
        ${texts(rows.map((row) => row.kind))}, ${texts(rows.map((row) => row.skip))},
        ${texts(rows.map((row) => `{${row.content.paperIds.join(',')}}`))}
      ) with ordinality as g (subscriber, candidates, had, slot_ms, deadline_ms, kind, skip, papers, n)
      on conflict (subscriber_id, edition_date) do nothing
      returning id
    ), contents as (
      insert into digest_contents (first_id, edition_date, reasons)
      select first, ${editionDate}::date, ${writeReasons(rows.map((row) => row.content.reasons))}
      from block where exists (select from written)
    )
    select (select first from block) as first, ${joinedIds} as ids from written`.execute(db);
  const { first = 0, ids } = result.rows[0] ?? {};
  return splitIds<DigestId>(ids).map((id) => {
    const { subscriberId, skip } = rows[id - first] as PlannedDigest;
    return { id, editionDate, subscriberId, state: skip === undefined ? 'planned' : 'skipped' };
  });
}
