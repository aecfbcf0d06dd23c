import { sql } from 'kysely';
import { PREPARED } from '#src/database/columns.ts';
import type { Database } from '#src/database/database.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import { type ClaimedDigest, contentOf, type DigestKind } from './digest.ts';
import { BLOCK_SIZE, blockOf, type DigestRange } from './ranges.ts';
import { createReasonsReader } from './reasons-text.ts';

/** Ends a block in {@link ClaimRow.blocks}; JSON never holds it. */
const BLOCK_END = '\x1e';

type ClaimRow = {
  readonly token: number;
  /** A line for each claimed row, its columns separated by spaces; null when there is none. */
  readonly claimed: string | null;
  /** The blocks that the rows are of: the first id of each on a line, then the lines of `writeReasons`. */
  readonly blocks: string | null;
};

/** See `Ledger.claim`. */
export async function claimRows(
  database: Database,
  range: DigestRange,
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
  now: Date,
): Promise<ClaimedDigest[]> {
  const edition = sql`${sql.lit(range.editionDate)}::date`;
  const due = sql`edition_date = ${edition} and id between ${range.from} and ${range.to}
    and state in ('planned', 'deferred') and due_at <= ${now} and deadline > ${now}`;
  // Where the range can't hold more than is wanted it is taken as it is: choosing and locking rows first costs half as
  // much again. Another claim of the same range is then waited for, and what it took is not taken.
  const few = range.to - range.from < limit;
  const { rows } = await sql<ClaimRow>`${PREPARED}
    with lease as materialized (select nextval('lease_tokens') as token),
    ${few ? sql`` : sql`picked as materialized (select id from digests where ${due} order by id limit ${limit} for update skip locked),`}
    claimed as (
      update digests
      set state = 'claimed', lease_token = lease.token,
          lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      from lease
      where ${due} ${few ? sql`` : sql`and id in (select id from picked)`}
      returning id, subscriber_id, kind, paper_ids, candidates, had, slot_at, deadline, attempts
    )
    select (select token from lease) as token, string_agg(concat_ws(' ', id, subscriber_id, kind,
             date_part('epoch', slot_at) * 1000, date_part('epoch', deadline) * 1000, attempts, candidates,
             coalesce(had::text, '-'), array_to_string(paper_ids, ',')), E'\n') as claimed,
           (select string_agg(first_id || E'\n' || reasons, ${BLOCK_END}) from digest_contents
            where edition_date = ${edition}
              and first_id = any (array(select distinct id - id % ${BLOCK_SIZE}::bigint from claimed))) as blocks
    from claimed`.execute(database);
  return rows[0] ? readClaim(rows[0], range.editionDate) : [];
}

const NO_BLOCK = { lines: [], read: createReasonsReader('') };

function readClaim({ token, claimed, blocks }: ClaimRow, editionDate: IsoDate): ClaimedDigest[] {
  if (claimed === null) return [];
  const known = new Map(
    blocks?.split(BLOCK_END).map((block) => {
      const [first, ...lines] = block.split('\n');
      return [Number(first), { lines, read: createReasonsReader(lines.at(-1) ?? '') }] as const;
    }),
  );
  return claimed
    .split('\n')
    .map((line) => {
      const [id, subscriber, kind, slot, deadline, attempts, candidates, had, papers] = line.split(' ');
      const first = blockOf(Number(id));
      const { lines, read } = known.get(first) ?? NO_BLOCK;
      return {
        id: Number(id) as DigestId,
        editionDate,
        subscriberId: Number(subscriber) as SubscriberId,
        kind: kind as DigestKind,
        content: contentOf(
          papers ? (papers.split(',').map(Number) as PaperId[]) : [],
          {
            reasons: lines[Number(id) - first] ?? null,
            candidates: Number(candidates),
            had: had === '-' ? null : Number(had),
          },
          read,
        ),
        slotAt: new Date(Number(slot)),
        deadline: new Date(Number(deadline)),
        attempts: Number(attempts),
        leaseToken: token,
      };
    })
    .sort((a, b) => a.id - b.id);
}
