import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, PaperId } from '#src/database/ids.ts';
import { type Coverage, readCoverage } from '#src/papers/coverage.ts';

/** An edition as stored. */
export type Edition = {
  readonly editionDate: IsoDate;
  /** Candidate papers in ascending order of id. */
  readonly candidates: readonly PaperId[];
  /** What the sources had brought when it was last refreshed; null in editions from before it was noted. */
  readonly coverage: readonly Coverage[] | null;
  readonly frozenAt: Date | null;
};

/** Reads and writes `editions`. */
export type EditionStore = ReturnType<typeof createEditionStore>;

/** @param deps.database where editions live */
export function createEditionStore({ database }: { database: Queryable }) {
  return {
    /**
     * Notes what the candidates of a date are now, and how much of the sources is among them. An edition stays open while its date has not begun everywhere:
     * what is listed meanwhile comes in. Once frozen it keeps what it has.
     * @returns the candidates in force
     */
    async refresh(
      editionDate: IsoDate,
      { candidates, coverage }: { candidates: readonly PaperId[]; coverage: readonly Coverage[] },
      at: Date,
    ): Promise<readonly PaperId[]> {
      const { rows } = await sql<{ candidates: PaperId[] }>`
        insert into editions (edition_date, candidates, coverage, opened_at, refreshed_at)
        values (${editionDate}, ${candidates}, ${JSON.stringify(coverage)}::jsonb, ${at}, ${at})
        on conflict (edition_date) do update set
          candidates = case when editions.frozen_at is null then excluded.candidates else editions.candidates end,
          coverage = case when editions.frozen_at is null then excluded.coverage else editions.coverage end,
          refreshed_at = case when editions.frozen_at is null then excluded.refreshed_at else editions.refreshed_at end
        returning candidates`.execute(database);
      return rows[0]?.candidates ?? [];
    },

    /** Dates of the editions that are not frozen, in order. */
    async openDates(): Promise<IsoDate[]> {
      const rows = await database
        .selectFrom('editions')
        .select('edition_date')
        .where('frozen_at', 'is', null)
        .orderBy('edition_date')
        .execute();
      return rows.map((row) => row.edition_date as IsoDate);
    },

    /** Notes what the sources had brought for an open edition; a frozen one keeps what it has. */
    async noteCoverage(editionDate: IsoDate, coverage: readonly Coverage[]): Promise<void> {
      await database
        .updateTable('editions')
        .set({ coverage: JSON.stringify(coverage) })
        .where('edition_date', '=', editionDate)
        .where('frozen_at', 'is', null)
        .execute();
    },

    /** Freezes the editions before `date`: no zone has a morning of theirs any more. Returns how many. */
    async freezeBefore(date: IsoDate, at: Date): Promise<number> {
      const result = await database
        .updateTable('editions')
        .set({ frozen_at: at })
        .where('edition_date', '<', date)
        .where('frozen_at', 'is', null)
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },

    /** One edition, or null when nobody was due on that date. */
    async find(editionDate: IsoDate): Promise<Edition | null> {
      const row = await database
        .selectFrom('editions')
        .select(['edition_date', 'candidates', 'coverage', 'frozen_at'])
        .where('edition_date', '=', editionDate)
        .executeTakeFirst();
      if (!row) return null;
      return {
        editionDate: row.edition_date as IsoDate,
        candidates: row.candidates as PaperId[],
        coverage: readCoverage(row.coverage),
        frozenAt: row.frozen_at,
      };
    },
  };
}
