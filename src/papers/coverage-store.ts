import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { addDays, type IsoDate } from '#src/database/ids.ts';
import type { DayCounts } from './coverage.ts';

/** Days looked back on for what is usual. */
const USUAL_DAYS = 28;

/**
 * What a source listed on a date and in the four weeks before, per category. As of `seenBefore`, so that a replay sees
 * what was seen then. A paper counts once per category it is in: `fresh` where the source had not listed it in the
 * four weeks before, and the announcement says new; other categories of a new paper see it as cross-listed.
 * @param categories arXiv categories to tell apart (`cs` or `cs.*` is one for all of the archive); none: the source as a whole, as section ''
 */
export async function countListings(
  database: Database,
  request: { source: string; on: IsoDate; seenBefore: Date; categories: readonly string[] },
): Promise<DayCounts[]> {
  const { source, on, seenBefore, categories } = request;
  const sections = categories.length > 0 ? categories : [''];
  const { rows } = await sql<DayCounts>`
    with listed as materialized (
      select l.listed_on, l.paper_id, (array_agg(l.kind order by l.kind = 'replace', l.kind <> 'new'))[1] as kind,
        min(l.listed_on) over (partition by l.paper_id) as first_on
      from listings l
      where l.source = ${source} and l.listed_on between ${addDays(on, -USUAL_DAYS)}::date and ${on}::date
        and l.seen_at <= ${seenBefore}
        -- ids and queries that a curator has read are no announcement
        and (l.source <> 'arxiv' or l.kind <> 'daily')
      group by l.listed_on, l.paper_id),
    placed as (
      select listed.listed_on, section, listed.kind, first_on,
        p.categories[1] is null or section = '' or p.categories[1] = section or p.categories[1] like archive as is_primary
      from listed join papers p on p.id = paper_id
        cross join (select section, regexp_replace(section, '[.][*]$', '') || '.%' as archive from unnest(${sections}::text[]) section) s
      where section = '' or section = any(p.categories)
        or exists (select from unnest(p.categories) c where c like archive))
    select section, listed_on as "listedOn", count(*)::int as received,
      (count(*) filter (where first_on = listed_on and kind in ('new', 'daily') and is_primary))::int as fresh,
      (count(*) filter (where first_on = listed_on and (kind = 'cross' or kind = 'new' and not is_primary)))::int as crossed,
      (count(*) filter (where kind = 'replace'))::int as replaced,
      (count(*) filter (where first_on < listed_on and kind <> 'replace'))::int as repeated
    from placed group by section, listed_on order by section, listed_on`.execute(database);
  return rows;
}
