import { type RawBuilder, sql } from 'kysely';
import type { PaperRow } from './paper-row.ts';

/** A column of `papers`: how a row's value becomes one element of the column's array parameter, and back. */
type Column = {
  readonly name: string;
  /** Type of the elements of the parameter. */
  readonly type: string;
  readonly value: (row: PaperRow) => string | number | Date | null;
  /** From the parameter's element to the column's value. */
  readonly cast?: (element: RawBuilder<unknown>) => RawBuilder<unknown>;
};

/** Lists travel as one text, so that `unnest` gives them back one per row (it would flatten a two-dimensional array). */
const SEPARATOR = '\u001f';
const joined = (list: readonly string[]) =>
  list.length === 0 ? null : list.map((text) => text.replaceAll(SEPARATOR, ' ')).join(SEPARATOR);
const asList = (element: RawBuilder<unknown>) =>
  sql`coalesce(string_to_array(${element}, ${SEPARATOR}), '{}')`;

/** Every column that is written, in one order for insert and update. */
const COLUMNS: readonly Column[] = [
  { name: 'identity', type: 'text', value: (row) => row.identity },
  { name: 'arxiv_id', type: 'text', value: (row) => row.arxivId },
  { name: 'doi', type: 'text', value: (row) => row.doi },
  { name: 'title', type: 'text', value: (row) => row.title },
  { name: 'abstract', type: 'text', value: (row) => row.abstract },
  { name: 'authors', type: 'text', value: (row) => joined(row.authors), cast: asList },
  { name: 'categories', type: 'text', value: (row) => joined(row.categories), cast: asList },
  { name: 'organisation', type: 'text', value: (row) => row.organisation },
  { name: 'keywords', type: 'text', value: (row) => joined(row.keywords), cast: asList },
  { name: 'comment', type: 'text', value: (row) => row.comment },
  { name: 'license', type: 'text', value: (row) => row.license },
  { name: 'version', type: 'integer', value: (row) => row.version },
  { name: 'published_at', type: 'timestamptz', value: (row) => row.publishedAt },
  { name: 'url', type: 'text', value: (row) => row.url },
  { name: 'pdf_url', type: 'text', value: (row) => row.pdfUrl },
  { name: 'code_url', type: 'text', value: (row) => row.codeUrl },
  { name: 'project_url', type: 'text', value: (row) => row.projectUrl },
  { name: 'thumbnail_url', type: 'text', value: (row) => row.thumbnailUrl },
  { name: 'provenance', type: 'jsonb', value: (row) => JSON.stringify(row.provenance) },
  { name: 'withdrawn_at', type: 'timestamptz', value: (row) => row.withdrawnAt },
  { name: 'first_listed_on', type: 'date', value: (row) => row.firstListedOn },
];

/** `identity, arxiv_id, …` */
export const columnNames = sql.join(COLUMNS.map(({ name }) => sql.ref(name)));
/** `t.identity, …` with the lists made lists again. */
export const columnValues = sql.join(
  COLUMNS.map(({ name, cast }) => (cast ? cast(sql.ref(`t.${name}`)) : sql.ref(`t.${name}`))),
);
/** `identity = t.identity, …` */
export const columnAssignments = sql.join(
  COLUMNS.map(
    ({ name, cast }) => sql`${sql.ref(name)} = ${cast ? cast(sql.ref(`t.${name}`)) : sql.ref(`t.${name}`)}`,
  ),
);
/** One array parameter per column: `$1::text[], …` */
export const columnArrays = (rows: readonly PaperRow[]) =>
  sql.join(COLUMNS.map(({ type, value }) => sql`${rows.map(value)}::${sql.raw(type)}[]`));

/** The columns as a {@link PaperRow} reads them, of the table aliased `p`. */
export const rowColumns = sql`
  p.identity, p.arxiv_id as "arxivId", p.doi, p.title, p.abstract, p.authors, p.categories, p.organisation, p.keywords,
  p.comment, p.license, p.version, p.published_at as "publishedAt", p.url, p.pdf_url as "pdfUrl", p.code_url as "codeUrl",
  p.project_url as "projectUrl", p.thumbnail_url as "thumbnailUrl", p.provenance, p.withdrawn_at as "withdrawnAt",
  p.first_listed_on as "firstListedOn"`;
