import type { IsoDate } from '#src/database/ids.ts';
import type { Coverage } from '#src/papers/coverage.ts';
import type { EditionStore } from './edition-store.ts';

type Deps = {
  readonly editions: Pick<EditionStore, 'openDates' | 'noteCoverage'>;
  /** What the sources of a date had brought by `at`. */
  readonly coverageOf: (on: IsoDate, at: Date) => Promise<readonly Coverage[]>;
};

/**
 * Brings the coverage of every open edition up to date. Candidates are chosen anew when papers come; that none came for a
 * day is noted by nobody else.
 */
export function createNoteCoverage({ editions, coverageOf }: Deps): (at: Date) => Promise<void> {
  return async (at) => {
    for (const date of await editions.openDates())
      await editions.noteCoverage(date, await coverageOf(date, at));
  };
}
