import type { Database } from '#src/database/database.ts';
import type { IsoDate } from '#src/database/ids.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { countListings } from './coverage-store.ts';

/** What an edition is expected to be made of. */
export type ExpectedSources = {
  /** Names of listings' sources that are polled, such as `arxiv` and `huggingface`. */
  readonly sources: readonly string[];
  /** arXiv categories that are followed; they are covered one by one. */
  readonly arxivCategories: readonly string[];
};

/**
 * The coverage of the edition of a date as of an instant: one part per arXiv category, one per other source, in the order
 * given. Only what was seen by `at` counts.
 */
export function createEditionCoverage({
  database,
  expected,
}: {
  readonly database: Database;
  readonly expected: ExpectedSources;
}) {
  return async (on: IsoDate, at: Date): Promise<Coverage[]> => {
    const parts = expected.sources.map(async (source) => {
      const categories = source === 'arxiv' ? expected.arxivCategories : [];
      const days = await countListings(database, { source, on, seenBefore: at, categories });
      const sections = categories.length > 0 ? categories : [''];
      return sections.map((section) => coverageOf(source, section, on, days, at));
    });
    return (await Promise.all(parts)).flat();
  };
}
