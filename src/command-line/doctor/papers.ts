import type { Config } from '#src/config.ts';
import type { Database } from '#src/database/database.ts';
import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import { EMBEDDINGS } from '#src/digests/embeddings/embeddings.ts';
import { createStatisticsStore } from '#src/digests/statistics-store.ts';
import { createDueCoverage } from '#src/papers/edition-coverage.ts';
import { sourceStatuses } from '#src/papers/poll.ts';
import { countPapersSince } from '#src/papers/recent-store.ts';
import type { SourceStatus } from '#src/papers/source-health.ts';
import { createSourceMemory } from '#src/papers/source-memory-store.ts';
import { type Check, count, duration, type Finding, failed, ok, warning } from './check.ts';

/** Polls in a row with a fault that are more than bad luck: some three quarters of an hour. */
const FAILURES = 3;
/** A source that was not read for so long although it is well: nobody reads it. */
const UNREAD_HOURS = 2;

/** How the sources are, whether there are papers, and how old the statistics of matching are. */
export const checkPapers = (config: Config, database: Database, now: () => Date): Check => ({
  name: 'papers',
  fix: "look at the database's log",
  run: async () => {
    const { sources, arxivCategories } = config.papers;
    const dueCoverage = createDueCoverage({ database, expected: { sources, arxivCategories } });
    const at = now();
    const since = addDays(utcDate(at), -config.digests.candidateDays);
    const [statuses, papers, fit] = await Promise.all([
      sourceStatuses({ memory: createSourceMemory({ database }), now, dueCoverage }, [
        ...sources,
        ...(config.embeddings ? [EMBEDDINGS] : []),
      ]),
      countPapersSince(database, since),
      createStatisticsStore({ database }).latest(),
    ]);
    return [
      ...statuses.map((status) =>
        status.name === EMBEDDINGS ? judgeEmbeddings(status) : judgeSource(status),
      ),
      judgePapers(papers, config.digests.candidateDays),
      judgeStatistics(fit?.fittedAt ?? null, at),
    ];
  },
});

/** Of a source only its polls can tell: `paperboy sources --poll` reads it now. */
export function judgeSource(status: SourceStatus): Finding {
  const name = `source ${status.name}`;
  const read = status.lagHours === null ? 'never read whole' : `read ${status.lagHours} h ago`;
  const newest = `newest list ${status.newestListedOn ?? 'none'}`;
  const more = `\`paperboy sources\` shows it by section, \`paperboy ingest ${status.name}\` reads it now`;
  switch (status.state) {
    case 'never':
      return warning(name, 'never read', `a worker reads it every 15 min; ${more}`);
    case 'failing': {
      const fault = status.faults[0]?.message ?? 'no message';
      const seen = `${count(status.failures, 'poll')} in a row with faults (${fault}); ${read}`;
      return (status.failures >= FAILURES ? failed : warning)(name, seen, `SOURCES: ${more}`);
    }
    case 'stale': {
      const late = status.sections
        .filter(({ state }) => state === 'stale')
        .map(({ section }) => section)
        .join(', ');
      return warning(
        name,
        `late: ${newest}, expected ${status.expectedListedOn ?? 'newer'}${late ? `; ${late}` : ''}; ${read}`,
        `often the source itself is late; ${more}`,
      );
    }
    case 'ok':
      return (status.lagHours ?? 0) > UNREAD_HOURS
        ? warning(name, `${read}, ${newest}`, `is a worker running? It reads it every 15 min; ${more}`)
        : ok(name, `${read}, ${newest}`);
  }
}

/** Vectors from an endpoint: without them papers are ranked all the same. */
export function judgeEmbeddings({ state, faults, lagHours }: SourceStatus): Finding {
  const name = 'embeddings';
  if (state === 'never')
    return warning(name, 'none made yet', 'EMBEDDINGS_URL: a worker asks it every 5 min; does one run?');
  if (state === 'failing')
    return warning(
      name,
      `${faults[0]?.message ?? 'no message'}; papers without are ranked by their words`,
      'EMBEDDINGS_URL, EMBEDDINGS_MODEL, EMBEDDINGS_KEY: does the endpoint run, and does it have the model?',
    );
  return ok(name, `made ${lagHours} h ago`);
}

/** Digests are made of these. */
export function judgePapers(
  { count: n, newest }: { readonly count: number; readonly newest: IsoDate | null },
  days: number,
): Finding {
  const seen = `${count(n, 'paper')} of the last ${count(days, 'day')}`;
  return n === 0
    ? warning(
        'papers',
        `${seen}: digests would be empty`,
        'SOURCES: `paperboy ingest NAME` reads one, `paperboy sources` shows how they are',
      )
    : ok('papers', `${seen}, newest of ${newest}`);
}

/** They are fitted anew when they are a week old; twice that means that upkeep doesn't come to it. */
const FIT_MS = 14 * 86_400_000;

/** What ranking by meaning rests on. */
export function judgeStatistics(fittedAt: Date | null, at: Date): Finding {
  if (!fittedAt)
    return warning(
      'statistics',
      'not fitted yet: papers are ranked by their words alone',
      'upkeep fits them within an hour once there are 500 papers of the last 120 days (`paperboy sources`)',
    );
  const old = at.getTime() - fittedAt.getTime();
  return old > FIT_MS
    ? warning(
        'statistics',
        `fitted ${duration(old)} ago`,
        'upkeep does it every week: see the log of the workers',
      )
    : ok('statistics', `fitted ${duration(Math.max(0, old))} ago`);
}
