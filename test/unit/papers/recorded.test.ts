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
    expect(await counts('arxiv', 'wire/arxiv-listings')).toEqual({ listings: 11_509, papers: 6633 });
  });

  it.each([
    ['id_0000.0000_s0_m100_8b51d9633a68', 0],
    ['id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af', 1],
    ['id_0808.05394_s0_m100_7b0c7d0a7cdd', 0],
    ['id_1605.08386_s0_m100_199195aa31ad', 1],
    ['id_1707.08567_s0_m100_6a1afebfc6a3', 1],
    ['id_2104.12255v1_s0_m100_6ae69987ffe1', 1],
    ['id_astro-ph_0601001_s0_m100_3150dca9dc76', 1],
    ['id_quant-ph_0201082v1_s0_m100_86989fe779ef', 1],
    ['q_testing_s0_m100_cfe7536492ca', 100],
    ['q_testing_s0_m10_bc5a6c384fe9', 10],
    ['q_testing_s0_m15_80c242b59d59', 15],
    ['q_testing_s10_m10_34e56e15aaac', 10],
    ['q_testing_s20_m10_348a237fecab', 10],
    ['q_testing_s30_m10_f2e39f0143dc', 10],
    ['q_testing_s40_m10_96dd32eb854c', 10],
    ['q_testing_s50_m10_7f488ab8598c', 10],
    ['q_testing_s5_m10_c0e94a259d4a', 10],
    ['q_testing_s5_m15_bbcf6b23085b', 15],
    ['q_testing_s9_m15_0b78d4b4d476', 15],
  ])('arXiv API %s: %i', async (file, papers) => {
    expect(await counts('arxiv', `wire/arxiv-api-atom/${file}.json`)).toEqual({ listings: papers, papers });
  });

  it.each([
    ['arxiv', 'arxiv-rss-atom/cs.AI_2025-08-20.atom.xml', 7, 7],
    ['arxiv', 'arxiv-oai/GetRecord_arXiv_single.xml', 1, 1],
    ['arxiv', 'arxiv-oai/ListRecords_arXivRaw_2014-01-16.xml', 1000, 1000],
    ['arxiv', 'arxiv-oai/ListRecords_arXiv_hep-ex_2017-12.xml', 3, 3],
    ['arxiv', 'arxiv-oai/ListRecords_arXiv_hep-th_2017-12-14.xml', 3, 3],
    ['arxiv', 'arxiv-oai/unit_mixed_edited.xml', 12, 12],
    ['arxiv', 'arxiv-listing-html/cs.AI_new_2026-08-12_trimmed.html', 6, 6],
    ['biorxiv', 'biorxiv/details_10.1101_641381.collection.json', 2, 1],
    ['jsonl', '../relevance/arxiv_2025-03_2025-09.jsonl.gz', 30_288, 30_288],
    ['jsonl', '../relevance/hf_daily_2024-05_2025-09.jsonl.gz', 4881, 4881],
  ])('%s %s: %i', async (source, file, listings, papers) => {
    expect(await counts(source, `wire/${file}`)).toEqual({ listings, papers });
  });

  it('an error of the arXiv API is told as one', async () => {
    const file = join(sharedData, 'wire/arxiv-api-atom/id_abc_s0_m100_b79c8dcf6bc3.json');
    const items = await Array.fromAsync(
      createSources()
        .get('arxiv')
        ?.read({ now: new Date(), files: [file] }) ?? [],
    );
    expect(items).toEqual([
      { type: 'fault', fault: { where: file, message: 'arXiv answers: incorrect id format for abc' } },
    ]);
  });
});
