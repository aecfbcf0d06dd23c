import { type RawBuilder, sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import { addDays, type IsoDate } from '#src/database/ids.ts';
import type { Paper, SignalKind } from './paper.ts';

/** True for papers `p` listed in a window of days, see `PaperStore.candidatePapers`. */
export function isCandidate(request: {
  on: IsoDate;
  windowDays: number;
  seenBefore: Date;
}): RawBuilder<unknown> {
  const { on, windowDays, seenBefore } = request;
  return sql`(p.withdrawn_at is null or p.withdrawn_at > ${seenBefore}) and p.id in (
    select paper_id from listings
    where listed_on between ${addDays(on, 1 - windowDays)}::date and ${on}::date
      and kind <> 'replace' and seen_at <= ${seenBefore})`;
}

/** The latest total of a signal, as of `until` (null: ever). */
const latest = (kind: SignalKind, until: Date | null) => sql`
  (select value from signals s where s.paper_id = p.id and s.kind = ${kind}
   ${until ? sql`and s.observed_at <= ${until}` : sql``} order by observed_at desc limit 1)`;

/** Papers in ascending order of id, with their totals as of `until` (null: the latest). */
export async function selectPapers(
  database: Queryable,
  where: RawBuilder<unknown>,
  until: Date | null,
): Promise<Paper[]> {
  const { rows } = await sql<Paper>`
    select p.id, p.identity, p.arxiv_id as "arxivId", p.doi, p.title, p.abstract, p.authors, p.categories,
      p.organisation, p.keywords, p.published_at as "publishedAt", p.url, p.pdf_url as "pdfUrl",
      p.code_url as "codeUrl", p.project_url as "projectUrl", p.thumbnail_url as "thumbnailUrl", p.license,
      p.first_listed_on as "firstListedOn", p.withdrawn_at as "withdrawnAt",
      ${latest('upvotes', until)} as upvotes, ${latest('comments', until)} as comments,
      ${latest('github_stars', until)} as "githubStars"
    from papers p where ${where} order by p.id`.execute(database);
  return rows;
}
