import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Database, openDatabase } from '#src/database/database.ts';
import { isoDate } from '#src/database/ids.ts';
import { migrateDatabase } from '#src/database/migrate.ts';
import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { ingest } from '#src/papers/ingest.ts';
import type { SourceItem } from '#src/papers/paper.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { readArxivXml } from '#src/papers/sources/arxiv-xml.ts';
import { seeded } from './ranking-metrics.ts';

/** Records of one OAI-PMH answer, as arXiv gives them. */
const PART = 1000;
const TABLES = ['papers', 'paper_identifiers', 'listings'] as const;

/**
 * A harvest of made-up arXivRaw records (100,000 by default) from XML to rows, against server-side `COPY` of the very same
 * rows (papers, identifiers, listings, all their indexes) in the same run. Memory is the process's resident set.
 */
export async function run([size = '100000']: string[]): Promise<void> {
  const count = Number(size);
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-bench-'));
  const server = await startEmbeddedPostgres(folder);
  const database = openDatabase(server.url, { max: 4 });
  try {
    await migrateDatabase(database);
    const store = createPaperStore({ database });
    const memory: number[] = [];
    const parse = await timed(async () => {
      for await (const item of harvest(count)) if (item.type === 'fault') throw new Error(item.fault.message);
    });
    const first = await timed(() =>
      ingest(
        { items: harvest(count), store },
        { onProgress: () => void memory.push(process.memoryUsage.rss()) },
      ),
    );
    const again = await timed(() => ingest({ items: harvest(count), store }));
    const copied = await copySameRows(database, folder);
    const rate = (ms: number) => Math.round((count / ms) * 1000);
    console.log(`papers                      ${count}`);
    console.log(`parse only, papers/s        ${rate(parse)}`);
    console.log(`ingest, papers/s            ${rate(first)}`);
    console.log(`the same again, papers/s    ${rate(again)}`);
    console.log(`COPY of the rows, papers/s  ${rate(copied)}`);
    console.log(`ingest / COPY               ${(copied / first).toFixed(3)}`);
    console.log(
      `memory, MB at 10 %, 50 %, 100 % of the ingest: ${[0.1, 0.5, 1].map((share) => at(memory, share)).join(', ')}`,
    );
  } finally {
    await database.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const at = (memory: readonly number[], share: number) =>
  Math.round((memory[Math.ceil(memory.length * share) - 1] ?? 0) / 1e6);

async function* harvest(count: number): AsyncIterable<SourceItem> {
  const context = {
    where: 'harvest',
    day: isoDate('2026-06-02'),
    observedAt: new Date('2026-06-03T00:00:00Z'),
  };
  for (let start = 0; start < count; start += PART)
    yield* readArxivXml(partOf(start, Math.min(count, start + PART)), context);
}

const WORDS =
  'we present a method for large models of language vision and graphs that learns from data with few labels over many tasks while keeping cost low results improve on strong baselines by wide margins across benchmarks code is available'.split(
    ' ',
  );

function partOf(from: number, to: number): Buffer {
  const records = Array.from({ length: to - from }, (_, index) => record(from + index));
  return Buffer.from(
    `<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>${records.join('')}<resumptionToken>next</resumptionToken></ListRecords></OAI-PMH>`,
  );
}

/** A record of the usual size: 1,300 characters of abstract, five authors, two categories. */
function record(n: number): string {
  const random = seeded(n);
  const text = (words: number) =>
    Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
  const id = `${26 - Math.floor(n / 99_999)}06.${String(n % 99_999).padStart(5, '0')}`;
  const doi = n % 5 === 0 ? `<doi>10.1000/${n}</doi>` : '';
  return `<record><header><identifier>oai:arXiv.org:${id}</identifier><datestamp>2026-06-02</datestamp></header><metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>${id}</id><submitter>S</submitter><version version="v1"><date>Mon, 1 Jun 2026 10:00:00 GMT</date></version><title>${text(12)}</title><authors>${Array.from({ length: 5 }, (_, index) => `A${index} Name${n}`).join(', ')}</authors><categories>cs.CL cs.AI</categories><comments>12 pages &amp; code</comments>${doi}<abstract>  ${text(230)}\n</abstract></arXivRaw></metadata></record>`;
}

/** Milliseconds that COPY takes for the rows just stored, into empty tables of the same form. */
async function copySameRows(database: Database, folder: string): Promise<number> {
  for (const table of TABLES) {
    await sql`copy ${sql.table(table)} to ${sql.lit(join(folder, `${table}.copy`))}`.execute(database);
    await sql`create table ${sql.table(`${table}_copy`)} (like ${sql.table(table)} including all)`.execute(
      database,
    );
  }
  return await timed(async () => {
    for (const table of TABLES)
      await sql`copy ${sql.table(`${table}_copy`)} from ${sql.lit(join(folder, `${table}.copy`))}`.execute(
        database,
      );
  });
}
