import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { addDays, type IsoDate, type PaperId, utcDate } from '#src/database/ids.ts';
import type { PaperStore } from '#src/papers/paper-store.ts';
import { trend } from '#src/papers/trend.ts';
import type { Day, DayViews, ListedPaper } from './dependencies.ts';

/** What the views of days read from. */
export type DayStoreDependencies = {
  readonly database: Database;
  readonly papers: Pick<PaperStore, 'papersByIds' | 'signalsOf'>;
  readonly now: () => Date;
};

/**
 * Papers whose trend is worked out for one page, those with the most votes first: more than any day has, less than a
 * month of all of arXiv, which would be work for whoever walks through the months.
 */
const JUDGED = 1500;

/** Reads the days of the pages: what was listed, best trend first. Replacements are no listings. */
export function createDayViews(deps: DayStoreDependencies): DayViews {
  const range = (from: IsoDate, to: IsoDate, limit: number) => bestOf(deps, from, to, limit);
  return {
    latest: (onOrBefore) => nearest(deps.database, onOrBefore, 'on-or-before'),
    day: async (date, limit) => ({ date, ...(await range(date, date, limit)) }),
    best: range,
  };
}

async function bestOf(
  deps: DayStoreDependencies,
  from: IsoDate,
  to: IsoDate,
  limit: number,
): Promise<Omit<Day, 'date'>> {
  const { rows } = await sql<{ paper_id: PaperId; total: number }>`
    select l.paper_id, count(*) over () as total from listings l join papers p on p.id = l.paper_id
    where l.listed_on between ${from}::date and ${to}::date and l.kind <> 'replace' and p.withdrawn_at is null
    group by l.paper_id order by max(l.upvotes) desc nulls last, l.paper_id limit ${JUDGED}`.execute(
    deps.database,
  );
  const papers = await withTrend(
    deps,
    rows.map((row) => row.paper_id),
    to,
  );
  return {
    papers: papers.slice(0, limit),
    total: rows[0]?.total ?? 0,
    previous: await nearest(deps.database, addDays(from, -1), 'on-or-before'),
    next: await nearest(deps.database, addDays(to, 1), 'on-or-after'),
  };
}

/** Papers with their trend as it was at the end of `day` (or now, if that is earlier), best first, then by id. */
async function withTrend(
  deps: DayStoreDependencies,
  ids: readonly PaperId[],
  day: IsoDate,
): Promise<ListedPaper[]> {
  const endOfDay = Date.parse(`${addDays(day, 1)}T00:00:00Z`);
  const at = new Date(Math.min(endOfDay, deps.now().getTime()));
  // Votes are observed later than the day they belong to: show all that is known, judge by what was known then.
  const signals = await deps.papers.signalsOf(ids, at);
  const papers = await deps.papers.papersByIds(ids);
  return papers
    .map((paper) => ({ ...paper, trend: trend(signals.get(paper.id) ?? [], paper, at) }))
    .sort((a, b) => b.trend - a.trend || (b.upvotes ?? 0) - (a.upvotes ?? 0) || a.id - b.id);
}

async function nearest(
  database: Database,
  date: IsoDate,
  direction: 'on-or-before' | 'on-or-after',
): Promise<IsoDate | null> {
  const { rows } =
    direction === 'on-or-before'
      ? await sql<{ day: IsoDate | null }>`
          select max(listed_on) as day from listings where listed_on <= ${date}::date and kind <> 'replace'`.execute(
          database,
        )
      : await sql<{ day: IsoDate | null }>`
          select min(listed_on) as day from listings where listed_on >= ${date}::date and kind <> 'replace'`.execute(
          database,
        );
  return rows[0]?.day ?? null;
}

/** Today's date as pages count it: in UTC. */
export const today = (now: Date): IsoDate => utcDate(now);
