import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type IngestCommand, ingestCommand } from '#src/papers/ingest-command.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { hasSharedData, sharedData, skipNote } from '#test/support/shared-data.ts';

/** Reads recorded files without storing; fails on any fault. */
async function counts(source: string, ...files: string[]) {
  const command: IngestCommand = { source, files: files.map((file) => join(sharedData, file)) };
  const now = () => new Date('2026-07-01T12:00:00Z');
  const outcome = await ingestCommand({ sources: createSources(), store: null, now }, command);
  if (outcome.type !== 'ingested') throw new Error(outcome.type);
  const { listings, papers, faults } = outcome.report;
  expect(faults).toEqual([]);
  return { listings, papers };
}

describe.skipIf(!hasSharedData)(`every recorded file parses with nothing lost${skipNote}`, () => {
  it.each([
    ['000_24e6da3b44f3ea75.txt', 49],
    ['001_01f70367652c7f62.txt', 88],
    ['002_18bda70c1b66e466.txt', 61],
    ['003_5bb005a7760e91c0.txt', 89],
    ['004_487756b703525098.txt', 240],
  ])('captured page %s: %i', async (file, papers) => {
    expect(await counts('page', `seed-pages/${file}`)).toEqual({ listings: papers, papers });
  });

  it('captured pages together: 497 papers in 527 listings', async () => {
    expect(await counts('page', 'seed-pages')).toEqual({ listings: 527, papers: 497 });
  });

  it('the daily list of Hugging Face: 703 entries', async () => {
    expect(await counts('huggingface', 'wire/hf-daily-papers')).toEqual({ listings: 703, papers: 702 });
  });

  it('a month of arXiv listings: 6,633 papers in 11,509 announcements', async () => {
    expect(await counts('arxiv-listings', 'wire/arxiv-listings')).toEqual({ listings: 11_509, papers: 6633 });
  });
});
