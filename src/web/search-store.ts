import { type RawBuilder, sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate, PaperId } from '#src/database/ids.ts';
import { searchFold } from '#src/topics/names.ts';
import { positiveText, type Query, type QueryNode } from '#src/topics/query/query.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';

/** A paper that was found, with how well its words fit (comparable within one search only; 0 without words). */
export type Found = { readonly id: PaperId; readonly rank: number; readonly listedOn: IsoDate | null };

/** Papers looked at by one search, best first: nobody pages further. */
export const MOST_FOUND = 300;

/** Full-text search in PostgreSQL; the column `search` holds title (A), abstract (B) and authors (C). */
export function createSearchStore({ database }: { readonly database: Database }) {
  return {
    /** Papers that fit a query, the best words first, then the newest. Bare words that are never all in one paper count singly. */
    async search(query: Query): Promise<Found[]> {
      if (query.type === 'filter')
        return select(database, conditionOf(query.root), anyOf(positiveText(query.root)));
      const every = sql`plainto_tsquery('english', ${query.text})`;
      const all = await select(database, sql`p.search @@ ${every}`, every);
      const some = anyOf(query.text.split(' '));
      return all.length > 0 ? all : select(database, sql`p.search @@ ${some}`, some);
    },

    /** The newest papers in which a phrase of a catalogue topic stands: more than belong to it, see `createTopicMatcher`. */
    topicCandidates: (topic: CatalogueTopic): Promise<Found[]> =>
      select(
        database,
        sql`(p.search @@ ${anyOf(topic.triggers)} or p.search @@ ${anyOf(topic.titleTriggers)})`,
        null,
      ),

    /** The newest papers of a category (`cs.CL`) or archive (`cs.*`). */
    inCategory: (pattern: string): Promise<Found[]> => select(database, categoryCondition(pattern), null),

    /** Papers listed in the same weeks whose words are most like a paper's title. */
    async similar(id: PaperId, limit: number): Promise<PaperId[]> {
      const { rows } = await sql<{ id: PaperId }>`
        with one as (
          select id, first_listed_on, (
            select string_agg(quote_literal(lexeme), ' | ')::tsquery
            from unnest(tsvector_to_array(to_tsvector('english', title))) as lexeme) as words
          from papers where id = ${id})
        select p.id from papers p, one
        where p.id <> one.id and p.withdrawn_at is null and p.search @@ one.words
          and p.first_listed_on between one.first_listed_on - 21 and one.first_listed_on + 21
        order by ts_rank_cd(p.search, one.words, 1) desc, p.id limit ${limit}`.execute(database);
      return rows.map((row) => row.id);
    },
  };
}

async function select(
  database: Database,
  condition: RawBuilder<unknown>,
  words: RawBuilder<unknown> | null,
): Promise<Found[]> {
  const rank = words ? sql`ts_rank_cd(p.search, ${words}, 1)` : sql`0`;
  const { rows } = await sql<Found>`
    select p.id, ${rank}::float8 as rank, p.first_listed_on as "listedOn" from papers p
    where p.withdrawn_at is null and p.first_listed_on is not null and ${condition}
    order by rank desc, p.first_listed_on desc, p.id desc limit ${MOST_FOUND}`.execute(database);
  return rows;
}

/** A tsquery for any of some phrases; matches nothing when there is none. */
function anyOf(phrases: readonly string[]): RawBuilder<unknown> {
  const parts = phrases.map((phrase) => sql`phraseto_tsquery('english', ${phrase})`);
  return parts.length === 0 ? sql`''::tsquery` : sql`(${sql.join(parts, sql` || `)})`;
}

/** A node of the query language as a condition on `papers p`. */
function conditionOf(node: QueryNode): RawBuilder<unknown> {
  switch (node.type) {
    case 'and':
      return sql`(${sql.join(node.nodes.map(conditionOf), sql` and `)})`;
    case 'or':
      return sql`(${sql.join(node.nodes.map(conditionOf), sql` or `)})`;
    case 'not':
      return sql`not ${conditionOf(node.node)}`;
    case 'word':
    case 'phrase':
      return phraseCondition(node.text, sql`p.search`);
    case 'title':
      return phraseCondition(node.text, sql`ts_filter(p.search, '{a}')`);
    case 'author':
      return authorCondition(node.name);
    case 'organisation':
      return sql`(p.organisation is not null and strpos(lower(p.organisation), ${node.name.toLowerCase()}) > 0)`;
    case 'category':
      return categoryCondition(node.pattern);
    case 'after':
      return sql`p.first_listed_on > ${node.date}::date`;
  }
}

/** Words that only glue ("the") are no condition. */
const phraseCondition = (text: string, vector: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(numnode(phraseto_tsquery('english', ${text})) = 0 or ${vector} @@ phraseto_tsquery('english', ${text}))`;

/** The family name whatever its accents, given names by their beginnings ("A. Lovelace" finds Ada). */
function authorCondition(name: string): RawBuilder<unknown> {
  const tokens = searchFold(name).match(/[\p{L}\p{N}]+/gu) ?? [];
  const query = tokens.map((token, i) => `'${token}':${i < tokens.length - 1 ? '*C' : 'C'}`).join(' & ');
  return query === '' ? sql`false` : sql`p.search @@ ${query}::tsquery`;
}

const categoryCondition = (pattern: string): RawBuilder<unknown> =>
  pattern.endsWith('.*')
    ? sql`exists (select 1 from unnest(p.categories) as c where starts_with(c, ${pattern.slice(0, -1)}))`
    : sql`p.categories @> array[${pattern}]::text[]`;
