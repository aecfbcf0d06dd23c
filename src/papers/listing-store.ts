import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { PaperId } from '#src/database/ids.ts';
import type { ListingRecord, SignalKind } from './paper.ts';

/** Of several rows with the same key the last one stands: a statement may touch a row once only. */
function lastOf<T>(rows: readonly T[], key: (row: T) => string): T[] {
  return [...new Map(rows.map((row) => [key(row), row])).values()];
}

/** Stores listings; `papers[i]` is the paper of `listings[i]`. One seen before keeps its earliest sighting. */
export async function insertListings(
  database: Queryable,
  listings: readonly ListingRecord[],
  papers: readonly PaperId[],
): Promise<void> {
  const all = listings.map((listing, index) => ({ ...listing, paper: papers[index] as PaperId }));
  const key = (row: (typeof all)[number]) => `${row.source} ${row.listedOn} ${row.section} ${row.paper}`;
  const firstSeen = new Map<string, Date>();
  for (const row of all) {
    const seen = firstSeen.get(key(row));
    if (!seen || row.observedAt < seen) firstSeen.set(key(row), row.observedAt);
  }
  const rows = lastOf(all, key).map((row) => ({ ...row, seenAt: firstSeen.get(key(row)) ?? row.observedAt }));
  await sql`
    insert into listings (paper_id, source, listed_on, kind, section, position, upvotes, seen_at)
    select * from unnest(
      ${rows.map((row) => row.paper)}::bigint[], ${rows.map((row) => row.source)}::text[],
      ${rows.map((row) => row.listedOn)}::date[], ${rows.map((row) => row.kind)}::text[],
      ${rows.map((row) => row.section)}::text[], ${rows.map((row) => row.position ?? null)}::integer[],
      ${rows.map((row) => row.signals?.upvotes ?? null)}::integer[], ${rows.map((row) => row.seenAt)}::timestamptz[])
    on conflict (source, listed_on, section, paper_id) do update set
      upvotes = coalesce(excluded.upvotes, listings.upvotes),
      seen_at = least(listings.seen_at, excluded.seen_at)
    where coalesce(excluded.upvotes, -1) <> coalesce(listings.upvotes, -1)
       or excluded.seen_at < listings.seen_at`.execute(database);
}

/** Stores what was observed with listings. An observation of the same instant is replaced by the later word. */
export async function insertSignals(
  database: Queryable,
  listings: readonly ListingRecord[],
  papers: readonly PaperId[],
): Promise<void> {
  const all = listings.flatMap((listing, index) =>
    Object.entries(listing.signals ?? {}).map(([kind, value]) => ({
      paper: papers[index] as PaperId,
      kind: kind as SignalKind,
      at: listing.observedAt,
      value,
    })),
  );
  const rows = lastOf(all, (row) => `${row.paper} ${row.kind} ${row.at.getTime()}`);
  if (rows.length === 0) return;
  await sql`
    insert into signals (paper_id, kind, observed_at, value)
    select * from unnest(
      ${rows.map((row) => row.paper)}::bigint[], ${rows.map((row) => row.kind)}::text[],
      ${rows.map((row) => row.at)}::timestamptz[], ${rows.map((row) => row.value)}::integer[])
    on conflict (paper_id, kind, observed_at) do update set value = excluded.value
    where signals.value <> excluded.value`.execute(database);
}
