import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import type { IsoDate, PaperId } from '#src/database/ids.ts';
import { identifiersOf } from './identity.ts';
import { insertListings, insertSignals } from './listing-store.ts';
import { absorbRows } from './merge-store.ts';
import type { ListingRecord, Paper } from './paper.ts';
import { loadWorks, writeWorks } from './paper-row-store.ts';
import { isCandidate, selectPapers } from './paper-view.ts';
import type { Signal } from './trend.ts';
import { resolveWorks } from './works.ts';

/** What one batch of listings did. */
export type PutReport = {
  /** The paper of each listing, in the order of the batch. */
  readonly papers: readonly PaperId[];
  /** Rows made now. */
  readonly created: readonly PaperId[];
  /** Rows that turned out to be the same work as another one and are gone. */
  readonly merged: readonly PaperId[];
  /** Papers of the batch that are withdrawn. */
  readonly withdrawn: readonly PaperId[];
};

/** Papers, listings and signals in the database. */
export type PaperStore = ReturnType<typeof createPaperStore>;

/** Serialises writers of papers: identity can be decided by one at a time only. */
const WRITE_LOCK = 7_261_001;

/** Reads and writes papers. Every method rejects only when the database does. */
export function createPaperStore({ database }: { readonly database: Database }) {
  return {
    /**
     * Stores a batch of listings (a few hundred) with their papers, identifiers and signals in one transaction.
     * Idempotent: the same batch again changes nothing. Records that share a name meet in one row.
     */
    put: (listings: readonly ListingRecord[]): Promise<PutReport> =>
      database.transaction().execute((transaction) => putBatch(transaction, listings)),

    /** Marks a paper as withdrawn since `at`, if it is known and wasn't before. @returns its id, null when unknown */
    async withdraw(identifier: string, at: Date): Promise<PaperId | null> {
      const { rows } = await sql<{ paper_id: PaperId }>`
        with named as (select paper_id from paper_identifiers where identifier = ${identifier}),
        marked as (update papers set withdrawn_at = ${at}, updated_at = now()
                   from named where id = paper_id and withdrawn_at is null)
        select paper_id from named`.execute(database);
      return rows[0]?.paper_id ?? null;
    },

    /** The papers of these ids, in ascending order of id; unknown ids are left out. Totals are the latest ones. */
    papersByIds: (ids: readonly PaperId[]): Promise<Paper[]> =>
      selectPapers(database, sql`p.id = any(${ids}::bigint[])`, null),

    /** The paper that goes by this identifier (`arxiv:2606.01234`, `doi:…`), if any. */
    async paperByIdentifier(identifier: string): Promise<Paper | undefined> {
      const named = sql`p.id = (select paper_id from paper_identifiers where identifier = ${identifier})`;
      return (await selectPapers(database, named, null))[0];
    },

    /** All identifiers of papers beside the one they are stored by; papers that have no other are absent. */
    async otherNamesOf(ids: readonly PaperId[]): Promise<Map<PaperId, string[]>> {
      const { rows } = await sql<{ paper_id: PaperId; names: string[] }>`
        select paper_id, array_agg(identifier order by identifier) as names
        from paper_identifiers n join papers p on p.id = n.paper_id and p.identity <> n.identifier
        where paper_id = any(${ids}::bigint[]) group by paper_id`.execute(database);
      return new Map(rows.map((row) => [row.paper_id, row.names]));
    },

    /** Ids of the papers that go by these identifiers; unknown ones are absent. */
    async idsByIdentifiers(identifiers: readonly string[]): Promise<Map<string, PaperId>> {
      const { rows } = await sql<{ identifier: string; paper_id: PaperId }>`
        select identifier, paper_id from paper_identifiers where identifier = any(${identifiers}::text[])`.execute(
        database,
      );
      return new Map(rows.map((row) => [row.identifier, row.paper_id]));
    },

    /**
     * The candidates of the edition `on`: papers listed in the `windowDays` days that end with `on` (1: that day
     * only), not withdrawn. Replacements don't count as listings. Only what was seen by `seenBefore` counts, totals
     * included, so that a replay over a full database gives what was given then. Ascending order of id.
     */
    candidatePapers: (request: { on: IsoDate; windowDays: number; seenBefore: Date }): Promise<Paper[]> =>
      selectPapers(database, isCandidate(request), request.seenBefore),

    /** Changes whenever papers, listings or signals do: equal versions mean equal candidates. */
    async version(): Promise<string> {
      const { rows } = await sql<{ version: string }>`
        select concat_ws(' ', (select max(id) from listings), (select max(updated_at) from papers),
                              (select max(observed_at) from signals)) as version`.execute(database);
      return rows[0]?.version ?? '';
    },

    /** The signals of papers seen until an instant, oldest first; papers without any are absent. */
    async signalsOf(ids: readonly PaperId[], until: Date): Promise<Map<PaperId, Signal[]>> {
      const { rows } = await sql<Signal & { paper_id: PaperId }>`
        select paper_id, kind, observed_at as "observedAt", value from signals
        where paper_id = any(${ids}::bigint[]) and observed_at <= ${until}
        order by paper_id, observed_at`.execute(database);
      return Map.groupBy(rows, (row) => row.paper_id);
    },
  };
}

async function putBatch(transaction: Queryable, listings: readonly ListingRecord[]): Promise<PutReport> {
  await sql`select pg_advisory_xact_lock(${WRITE_LOCK})`.execute(transaction);
  const names = new Set(listings.flatMap((listing) => identifiersOf(listing.source, listing.paper)));
  const { place, current } = resolveWorks(await loadWorks(transaction, [...names]));
  const works = listings.map(place).map(current);
  const distinct = [...new Set(works)];
  const merged = distinct.flatMap((work) => work.absorbed.map((id) => ({ id, into: work.id as PaperId })));
  await absorbRows(transaction, merged);
  const created = await writeWorks(transaction, distinct);
  const papers = works.map((work) => work.id as PaperId);
  await insertListings(transaction, listings, papers);
  await insertSignals(transaction, listings, papers);
  const withdrawn = distinct
    .filter((work) => work.row.withdrawnAt !== null)
    .map((work) => work.id as PaperId);
  return { papers, created, merged: merged.map(({ id }) => id), withdrawn };
}
