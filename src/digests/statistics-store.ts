import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import { addDays, type PaperId, utcDate } from '#src/database/ids.ts';
import type { Statistics } from '#src/matching/statistics/statistics.ts';
import type { Text } from '#src/matching/text/lexical-index.ts';

/** A paper to fit on. */
export type FittedPaper = Text & { readonly id: PaperId };

/** Bytes of one piece of an array. */
const PIECE = 4 * 2 ** 20;
/** Fits kept: the one in force, and the one that other processes may be reading. */
const KEPT = 2;

/** Everything of a fit but its background, which is stored as ids of papers. */
export type StatisticsStore = ReturnType<typeof createStatisticsStore>;

/** Stores fitted statistics and reads the papers they are fitted on. */
export function createStatisticsStore({ database }: { readonly database: Database }) {
  return {
    /** The version and instant of the latest fit. */
    async latest(): Promise<{ version: string; fittedAt: Date } | undefined> {
      const { rows } = await sql<{ version: string; fittedAt: Date }>`
        select version, fitted_at as "fittedAt" from statistics order by fitted_at desc limit 1`.execute(
        database,
      );
      return rows[0];
    },
    load: (version: string) => load(database, version),
    /** Writes a fit as a whole, and removes all but the latest {@link KEPT}. */
    save: (statistics: Statistics, background: readonly PaperId[], at: Date): Promise<void> =>
      database.transaction().execute((tx) => save(tx, statistics, background, at)),
    papersToFit: (now: Date, days: number, limit: number) => papersToFit(database, now, days, limit),
  };
}

async function papersToFit(db: Queryable, now: Date, days: number, limit: number): Promise<FittedPaper[]> {
  const { rows } = await sql<FittedPaper>`
    select id, title, abstract from papers
    where first_listed_on > ${addDays(utcDate(now), -days)}::date and first_listed_on <= ${utcDate(now)}::date
      and withdrawn_at is null and abstract <> ''
    order by first_listed_on desc, id desc limit ${limit}`.execute(db);
  return rows.toReversed();
}

async function save(
  tx: Queryable,
  statistics: Statistics,
  background: readonly PaperId[],
  at: Date,
): Promise<void> {
  const { version, documents, averageLength, rank } = statistics;
  await sql`
    insert into statistics (version, fitted_at, documents, average_length, rank, background)
    values (${version}, ${at}, ${documents}, ${averageLength}, ${rank}, ${[...background]}::bigint[])`.execute(
    tx,
  );
  const arrays = {
    terms: Buffer.from(JSON.stringify(statistics.terms)),
    frequencies: bytesOf(statistics.documentFrequencies),
    basis: bytesOf(statistics.basis),
    scale: bytesOf(statistics.scale),
    mean: bytesOf(statistics.mean),
  };
  for (const [name, bytes] of Object.entries(arrays))
    for (let part = 0; part * PIECE < bytes.length; part += 1)
      await sql`
        insert into statistics_parts (version, name, part, bytes)
        values (${version}, ${name}, ${part}, ${bytes.subarray(part * PIECE, (part + 1) * PIECE)})`.execute(
        tx,
      );
  await sql`
    delete from statistics where version not in (
      select version from statistics order by fitted_at desc limit ${KEPT})`.execute(tx);
}

async function load(database: Database, version: string): Promise<Statistics | undefined> {
  const { rows } = await sql<{
    documents: number;
    averageLength: number;
    rank: number;
    background: PaperId[];
  }>`
    select documents, average_length as "averageLength", rank, background from statistics
    where version = ${version}`.execute(database);
  const row = rows[0];
  if (!row) return undefined;
  const { rows: background } = await sql<Text>`
    select title, abstract, categories from papers where id = any(${row.background}::bigint[]) order by id`.execute(
    database,
  );
  const array = (name: string): Promise<Buffer> => readArray(database, version, name);
  const basis = floats(await array('basis'));
  return {
    version,
    documents: row.documents,
    averageLength: row.averageLength,
    rank: row.rank,
    terms: JSON.parse((await array('terms')).toString() || '[]') as string[],
    documentFrequencies: integers(await array('frequencies')),
    basis,
    scale: floats(await array('scale')),
    mean: floats(await array('mean')),
    background,
  };
}

async function readArray(database: Database, version: string, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const { rows } = await sql<{ bytes: Buffer }>`
      select bytes from statistics_parts
      where version = ${version} and name = ${name} and part = ${pieces.length}`.execute(database);
    if (!rows[0]) return Buffer.concat(pieces);
    pieces.push(rows[0].bytes);
  }
}

const bytesOf = (array: Float32Array | Int32Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

const floats = (bytes: Buffer): Float32Array => new Float32Array(aligned(bytes));
const integers = (bytes: Buffer): Int32Array => new Int32Array(aligned(bytes));

/** The bytes alone in their memory, so that an array can start where its element size wants it; large ones are it already. */
const aligned = ({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer =>
  (byteLength === buffer.byteLength
    ? buffer
    : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
