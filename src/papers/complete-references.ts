import { utcDate } from '#src/database/ids.ts';
import { type IngestReport, type IngestStore, ingest } from './ingest.ts';
import type { SourceItem } from './paper.ts';
import type { SourceMemory } from './source.ts';
import type { Sources } from './sources/sources.ts';

/** References asked for in one run at most, and milliseconds until one that was not found is asked for again. */
const MOST = 200;
const AGAIN_MS = 86_400_000;
const MEMORY = 'references';
/** Source of their listings: it announces nothing, so that an old paper somebody follows is no news to others. */
const SOURCE = 'reference';

/**
 * Fetches and stores papers that readers refer to ("papers like these") and that are not known yet; for arXiv ids
 * only. They are listed on the day they were published, in a way that makes them no candidates.
 * @param identifiers such as `arxiv:2606.01234`; others are passed over
 * @returns null when there was nothing to ask for
 */
export async function completeReferences(
  deps: {
    readonly sources: Sources;
    readonly store: IngestStore;
    readonly memory: SourceMemory;
    readonly now: () => Date;
  },
  identifiers: readonly string[],
): Promise<IngestReport | null> {
  const at = deps.now();
  const tried = await recall(deps.memory, at);
  const ids = identifiers
    .flatMap((identifier) => (identifier.startsWith('arxiv:') ? [identifier.slice('arxiv:'.length)] : []))
    .filter((id) => !tried.has(id))
    .slice(0, MOST);
  const source = deps.sources.get('arxiv-ids');
  if (ids.length === 0 || !source) return null;
  for (const id of ids) tried.set(id, at.toISOString());
  await deps.memory.remember(MEMORY, Object.fromEntries(tried));
  return ingest({ items: asReferences(source.read({ now: at, ids })), store: deps.store });
}

/** Ids that were asked for within a day, with when. */
async function recall(memory: SourceMemory, at: Date): Promise<Map<string, string>> {
  const value = await memory.recall(MEMORY);
  const all = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new Map(all.filter(([, tried]) => at.getTime() - Date.parse(String(tried)) < AGAIN_MS));
}

async function* asReferences(items: AsyncIterable<SourceItem>): AsyncIterable<SourceItem> {
  for await (const item of items) {
    if (item.type !== 'listing') yield item;
    else {
      const { listing } = item;
      const { publishedAt } = listing.paper;
      const listedOn = publishedAt ? utcDate(publishedAt) : listing.listedOn;
      yield { type: 'listing', listing: { ...listing, source: SOURCE, kind: 'replace', listedOn } };
    }
  }
}
