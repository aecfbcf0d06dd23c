import type { IsoDate } from '#src/database/ids.ts';
import type { PaperRecord } from './paper.ts';

/** A row of `papers` as it is written: what every source together says of one work. */
export type PaperRow = {
  identity: string;
  arxivId: string | null;
  doi: string | null;
  title: string;
  abstract: string;
  authors: readonly string[];
  categories: readonly string[];
  organisation: string | null;
  keywords: readonly string[];
  comment: string | null;
  license: string | null;
  version: number | null;
  publishedAt: Date | null;
  url: string | null;
  pdfUrl: string | null;
  codeUrl: string | null;
  projectUrl: string | null;
  thumbnailUrl: string | null;
  /** Which source each field came from. */
  provenance: Readonly<Record<string, string>>;
  withdrawnAt: Date | null;
  firstListedOn: IsoDate | null;
};

/** A row before anything is known. */
export function emptyRow(identity: string): PaperRow {
  return {
    identity,
    arxivId: null,
    doi: null,
    title: '',
    abstract: '',
    authors: [],
    categories: [],
    organisation: null,
    keywords: [],
    comment: null,
    license: null,
    version: null,
    publishedAt: null,
    url: null,
    pdfUrl: null,
    codeUrl: null,
    projectUrl: null,
    thumbnailUrl: null,
    provenance: {},
    withdrawnAt: null,
    firstListedOn: null,
  };
}

/**
 * Whose word on a field counts more: where the authors deposit the work, then who lists it, then what came by hand,
 * then a captured page. Between equals the later word counts.
 */
const RANK: Readonly<Record<string, number>> = {
  arxiv: 4,
  biorxiv: 4,
  medrxiv: 4,
  huggingface: 3,
  sample: 1,
  page: 1,
};
const rank = (source: string | undefined) => (source === undefined ? 0 : (RANK[source] ?? 2));

/** Fields that any source may fill. Names are those of {@link PaperRecord} and {@link PaperRow} alike. */
const FIELDS = [
  'title',
  'abstract',
  'authors',
  'categories',
  'organisation',
  'keywords',
  'comment',
  'license',
  'publishedAt',
  'url',
  'pdfUrl',
  'codeUrl',
  'projectUrl',
  'thumbnailUrl',
] as const;

/** What a record says, when and where it was seen. `names`: the arXiv id and DOI the row may take from it. */
export type Sighting = {
  readonly source: string;
  readonly record: PaperRecord;
  readonly listedOn: IsoDate;
  readonly observedAt: Date;
  readonly names: { readonly arxivId?: string | undefined; readonly doi?: string | undefined };
};

/**
 * The row with what a record adds: the best of each field and where it came from. A field is taken when it was empty,
 * or when the record's source ranks at least as high as the one that filled it and the record's version isn't older.
 * An empty value never replaces one.
 * @returns the same object when nothing changes
 */
export function withSighting(row: PaperRow, seen: Sighting): PaperRow {
  const next: PaperRow = { ...row, provenance: { ...row.provenance } };
  const older =
    seen.record.version !== undefined && row.version !== null && seen.record.version < row.version;
  let changed = takeNames(next, seen);
  for (const field of FIELDS) changed = takeField(next, field, seen, older) || changed;
  changed = takeStanding(next, seen, older) || changed;
  return changed ? next : row;
}

function takeField(row: PaperRow, field: (typeof FIELDS)[number], seen: Sighting, older: boolean): boolean {
  const value = seen.record[field];
  if (value === undefined || isEmpty(value)) return false;
  const holder = row.provenance[field];
  const takes = isEmpty(row[field]) || (!older && rank(seen.source) >= rank(holder));
  const sure = isSame(row[field], value);
  if (!takes || (sure && rank(seen.source) <= rank(holder))) return false;
  Object.assign(row, { [field]: value });
  row.provenance = { ...row.provenance, [field]: seen.source };
  return true;
}

function takeNames(row: PaperRow, { names, source }: Sighting): boolean {
  let changed = false;
  for (const field of ['arxivId', 'doi'] as const) {
    const value = names[field];
    const isNew = value !== undefined && row[field] === null;
    const isSurer = value !== undefined && row[field] === value && rank(source) > rank(row.provenance[field]);
    if (!isNew && !isSurer) continue;
    row[field] = value;
    row.provenance = { ...row.provenance, [field]: source };
    changed = true;
  }
  return changed;
}

/** Version, withdrawal and first listing. */
function takeStanding(row: PaperRow, { record, listedOn, observedAt }: Sighting, older: boolean): boolean {
  const before = [row.version, row.withdrawnAt, row.firstListedOn];
  if (record.version !== undefined && !older) row.version = record.version;
  if (record.withdrawn === true) row.withdrawnAt ??= observedAt;
  if (record.withdrawn === false && !older) row.withdrawnAt = null;
  if (row.firstListedOn === null || listedOn < row.firstListedOn) row.firstListedOn = listedOn;
  return before[0] !== row.version || before[1] !== row.withdrawnAt || before[2] !== row.firstListedOn;
}

/** One row out of two that turned out to be the same work: `row` stays, and takes what is better from `other`. */
export function mergedRows(row: PaperRow, other: PaperRow): PaperRow {
  const next: PaperRow = { ...row, provenance: { ...row.provenance } };
  for (const field of [...FIELDS, 'arxivId', 'doi'] as const) {
    const better = rank(other.provenance[field]) > rank(row.provenance[field]);
    if (isEmpty(other[field]) || !(isEmpty(row[field]) || better)) continue;
    Object.assign(next, { [field]: other[field] });
    const from = other.provenance[field];
    if (from !== undefined) next.provenance = { ...next.provenance, [field]: from };
  }
  next.version = Math.max(row.version ?? 0, other.version ?? 0) || null;
  next.withdrawnAt = earliest(row.withdrawnAt, other.withdrawnAt);
  next.firstListedOn = earliest(row.firstListedOn, other.firstListedOn);
  return next;
}

function earliest<T extends Date | string>(one: T | null, other: T | null): T | null {
  if (one === null || other === null) return one ?? other;
  return one <= other ? one : other;
}

function isEmpty(value: unknown): boolean {
  return (
    value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Date && other instanceof Date) return one.getTime() === other.getTime();
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => value === other[index]);
  return one === other;
}
