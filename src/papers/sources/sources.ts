import type { Source } from '../source.ts';
import { addressesWith, type SourceAddresses } from './addresses.ts';
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
  /** Where services are asked, where not at their own addresses. */
  readonly addresses?: Partial<SourceAddresses>;
};

/** The sources there are. */
export function createSources(options: SourcesOptions = {}): Sources {
  const { network = null, arxivCategories = [] } = options;
  const addresses = addressesWith(options.addresses ?? {});
  const arxiv = createArxivSource(network, arxivCategories, addresses);
  const details = `${addresses.biorxiv}/details`;
  const ids = createArxivIdsSource(network, `${addresses.arxivApi}/api/query`);
  return new Map([
    ['huggingface', createHuggingFaceSource(network, `${addresses.huggingFace}/api/daily_papers`)],
    ['arxiv', arxiv],
    ['arxiv-listings', arxiv],
    ['arxiv-ids', ids],
    ['ids', ids],
    ['biorxiv', createBiorxivSource('biorxiv', network, details)],
    ['medrxiv', createBiorxivSource('medrxiv', network, details)],
    ['page', createPageSource()],
    ['jsonl', createJsonlSource()],
    ['csv', createCsvSource()],
    ['sample', createSampleSource()],
  ]);
}
