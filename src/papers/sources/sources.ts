import type { Source } from '../source.ts';
import { createArxivSource } from './arxiv.ts';
import { createArxivIdsSource } from './arxiv-ids.ts';
import { createBiorxivSource } from './biorxiv.ts';
import { createCsvSource } from './csv.ts';
import type { Network } from './fetch.ts';
import { createHuggingFaceSource } from './huggingface.ts';
import { createJsonlSource } from './jsonl.ts';
import { createPageSource } from './page.ts';
import { createSampleSource } from './sample.ts';

/** Every source by the name it has on the command line. */
export type Sources = ReadonlyMap<string, Source>;

/** What sources need; all of it may be left out where recorded files are read only. */
export type SourcesOptions = {
  /** Null or absent: no network. */
  readonly network?: Network | null;
  /** arXiv categories to follow; `cs.*` names an archive. Empty: all that a recorded file holds. */
  readonly arxivCategories?: readonly string[];
};

/** The sources there are. */
export function createSources({ network = null, arxivCategories = [] }: SourcesOptions = {}): Sources {
  const arxiv = createArxivSource(network, arxivCategories);
  return new Map([
    ['huggingface', createHuggingFaceSource(network)],
    ['arxiv', arxiv],
    ['arxiv-listings', arxiv],
    ['arxiv-ids', createArxivIdsSource(network)],
    ['biorxiv', createBiorxivSource('biorxiv', network)],
    ['medrxiv', createBiorxivSource('medrxiv', network)],
    ['page', createPageSource()],
    ['jsonl', createJsonlSource()],
    ['csv', createCsvSource()],
    ['sample', createSampleSource()],
  ]);
}
