import type { Source } from '../source.ts';
import { createArxivListingsSource } from './arxiv-listings.ts';
import { createHuggingFaceSource } from './huggingface.ts';
import { createJsonlSource } from './jsonl.ts';
import { createPageSource } from './page.ts';
import { createSampleSource } from './sample.ts';

/** Every source by the name it has on the command line. */
export type Sources = ReadonlyMap<string, Source>;

/** The sources there are. */
export function createSources(): Sources {
  return new Map([
    ['page', createPageSource()],
    ['huggingface', createHuggingFaceSource()],
    ['jsonl', createJsonlSource()],
    ['arxiv-listings', createArxivListingsSource()],
    ['sample', createSampleSource()],
  ]);
}
