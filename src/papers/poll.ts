import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import { type IngestOptions, type IngestReport, type IngestStore, ingest } from './ingest.ts';
import type { SourceItem } from './paper.ts';
import { expectedListing } from './schedule.ts';
import { messageOf, type SourceMemory } from './source.ts';
import { healthAfter, type SourceHealth, type SourceStatus, statusOf } from './source-health.ts';
import type { Sources } from './sources/sources.ts';

/** What polling needs. */
export type PollDeps = {
  readonly sources: Sources;
  readonly store: IngestStore;
  readonly memory: SourceMemory;
  readonly now: () => Date;
};

/** What came of a poll. `crashed`: the source or the database threw; it is noted and to be rethrown by who wants that. */
export type PollOutcome =
  | { readonly type: 'polled'; readonly report: IngestReport }
  | { readonly type: 'unknown-source'; readonly known: readonly string[] }
  | { readonly type: 'crashed'; readonly error: unknown };

/** Days that are caught up at most after a break. */
const MAX_GAP_DAYS = 30;
const CATCH_UP_MS = 6 * 3_600_000;

/**
 * Reads a source from the network and notes how it went. After a break, the days since its last success are read too,
 * at most thirty: nothing that was listed meanwhile is lost.
 */
export async function pollSource(
  deps: PollDeps,
  name: string,
  options: IngestOptions = {},
): Promise<PollOutcome> {
  const source = deps.sources.get(name);
  if (!source) return { type: 'unknown-source', known: [...deps.sources.keys()] };
  const at = deps.now();
  const before = healthOf(await deps.memory.recall(keyOf(name)));
  const from = await gapToCatchUp(deps.memory, name, before, at);
  const newest: Newest = { day: null };
  try {
    const items = watched(source.read({ now: at, ...(from ? { from } : {}) }), newest);
    const report = await ingest({ items, store: deps.store }, options);
    await note(deps, healthAfter(before, name, at, { report, newestListedOn: newest.day }));
    return { type: 'polled', report };
  } catch (error) {
    await note(deps, healthAfter(before, name, at, { error: messageOf(error) })).catch(() => undefined);
    return { type: 'crashed', error };
  }
}

/** How the sources are, in the order of their names; those never polled have `state: 'never'`. */
export async function sourceStatuses(
  { memory, now }: Pick<PollDeps, 'memory' | 'now'>,
  names: readonly string[],
): Promise<SourceStatus[]> {
  const all = names.map(async (name): Promise<SourceStatus> => {
    const expected = expectedListing(name, now());
    const health = healthOf(await memory.recall(keyOf(name)));
    if (health) return statusOf(health, expected, now());
    const never = healthAfter(undefined, name, now(), { error: 'never polled' });
    return { ...never, state: 'never', faults: [], failures: 0, lagHours: null, expectedListedOn: expected };
  });
  return await Promise.all(all);
}

const keyOf = (name: string) => `health:${name}`;
const note = ({ memory }: PollDeps, health: SourceHealth) => memory.remember(keyOf(health.name), health);
const healthOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? (value as SourceHealth) : undefined;

/** {@link gapSince}, at most every six hours: a source with a lasting fault isn't harvested again with every poll. */
async function gapToCatchUp(memory: SourceMemory, name: string, health: SourceHealth | undefined, at: Date) {
  const from = gapSince(health, at);
  if (from === undefined) return undefined;
  const tried = Date.parse(String(await memory.recall(`caught-up:${name}`)));
  if (at.getTime() - tried < CATCH_UP_MS) return undefined;
  await memory.remember(`caught-up:${name}`, at.toISOString());
  return from;
}

/** The first day to catch up, when the last success was before yesterday. */
function gapSince(health: SourceHealth | undefined, at: Date): IsoDate | undefined {
  if (!health?.succeededAt) return undefined;
  const last = utcDate(new Date(health.succeededAt));
  const today = utcDate(at);
  if (last >= addDays(today, -1)) return undefined;
  const earliest = addDays(today, -MAX_GAP_DAYS);
  return last > earliest ? last : earliest;
}

type Newest = { day: IsoDate | null };

async function* watched(items: AsyncIterable<SourceItem>, newest: Newest): AsyncIterable<SourceItem> {
  for await (const item of items) {
    if (item.type === 'listing' && item.listing.listedOn > (newest.day ?? ''))
      newest.day = item.listing.listedOn;
    yield item;
  }
}
