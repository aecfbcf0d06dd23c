import type { IsoDate } from '#src/database/ids.ts';
import type { Coverage } from './coverage.ts';
import { gapToRead } from './gap.ts';
import { type IngestOptions, type IngestReport, type IngestStore, ingest } from './ingest.ts';
import type { SourceItem } from './paper.ts';
import { expectedListing } from './schedule.ts';
import { messageOf, type Source, type SourceMemory } from './source.ts';
import {
  type Gap,
  healthAfter,
  healthAfterCrash,
  type SectionHealth,
  type SourceHealth,
  type SourceStatus,
  statusOf,
  unpolled,
} from './source-health.ts';
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

/**
 * Reads a source from the network and notes how it went. Then what was missed is read too, by date: the days since its last
 * answer, and lists of single sections that were replaced by a newer one before they were ever seen.
 */
export async function pollSource(
  deps: PollDeps,
  name: string,
  options: IngestOptions = {},
): Promise<PollOutcome> {
  const source = deps.sources.get(name);
  if (!source) return { type: 'unknown-source', known: [...deps.sources.keys()] };
  const at = deps.now();
  const before = (await healthOf(deps.memory, name)) ?? unpolled(name, at);
  const found: Findings = { newestListedOn: null, sections: new Map(), gap: before.gap, answered: false };
  try {
    const report = await ingest({ items: readAll(source, before, found, at), store: deps.store }, options);
    await note(deps, healthAfter(before, at, report, found));
    return { type: 'polled', report };
  } catch (error) {
    await note(deps, healthAfterCrash(before, at, messageOf(error))).catch(() => undefined);
    return { type: 'crashed', error };
  }
}

/**
 * How the sources are, in the order of their names; those never polled have `state: 'never'`.
 * @param deps.dueCoverage of each source the newest list that should be there; without it sections are told by their polls alone
 */
export async function sourceStatuses(
  deps: Pick<PollDeps, 'memory' | 'now'> & { readonly dueCoverage?: (at: Date) => Promise<Coverage[]> },
  names: readonly string[],
): Promise<SourceStatus[]> {
  const at = deps.now();
  const coverage = (await deps.dueCoverage?.(at)) ?? [];
  const all = names.map(async (name): Promise<SourceStatus> => {
    const due = {
      on: expectedListing(name, at),
      coverage: coverage.filter(({ source }) => source === name),
    };
    const health = await healthOf(deps.memory, name);
    return health ? statusOf(health, due, at) : { ...statusOf(unpolled(name, at), due, at), state: 'never' };
  });
  return await Promise.all(all);
}

/** When each source was last asked; those never asked are left out. */
export async function lastPolls(
  { memory }: Pick<PollDeps, 'memory'>,
  names: readonly string[],
): Promise<Date[]> {
  const known = await Promise.all(names.map((name) => healthOf(memory, name)));
  return known.flatMap((health) => (health ? [new Date(health.triedAt)] : []));
}

const keyOf = (name: string) => `health:${name}`;
const note = ({ memory }: PollDeps, health: SourceHealth) => memory.remember(keyOf(health.name), health);

/** Notes of before sections were told apart lack some fields. */
async function healthOf(memory: SourceMemory, name: string): Promise<SourceHealth | undefined> {
  const value = await memory.recall(keyOf(name));
  if (typeof value !== 'object' || value === null) return undefined;
  const stored = value as SourceHealth;
  const whole = { ...unpolled(name, new Date(stored.triedAt)), ...stored };
  return { ...whole, reachedAt: whole.reachedAt ?? whole.succeededAt };
}

type Findings = {
  newestListedOn: IsoDate | null;
  sections: Map<string, Pick<SectionHealth, 'newestListedOn' | 'fault'>>;
  gap: Gap | null;
  answered: boolean;
};

async function* readAll(
  source: Source,
  before: SourceHealth,
  found: Findings,
  at: Date,
): AsyncIterable<SourceItem> {
  yield* watched(source.read({ now: at }), found);
  const { gap, isDue } = gapToRead(before, found.sections, at);
  found.gap = gap;
  // Who doesn't answer today isn't asked for the days before.
  if (!gap || !isDue || !found.answered) return;
  let faults = 0;
  for await (const item of source.read({ now: at, from: gap.from, to: gap.to })) {
    if (item.type === 'fault') faults += 1;
    yield item;
  }
  found.gap = faults === 0 ? null : { ...gap, tries: gap.tries + 1, triedAt: at.toISOString() };
}

/** Notes what passes by: the newest day, how sections were read, and whether there was any answer. */
async function* watched(items: AsyncIterable<SourceItem>, found: Findings): AsyncIterable<SourceItem> {
  let faults = 0;
  for await (const item of items) {
    if (item.type === 'listing' && item.listing.listedOn > (found.newestListedOn ?? ''))
      found.newestListedOn = item.listing.listedOn;
    if (item.type === 'section') found.sections.set(item.section, item);
    if (item.type === 'fault') faults += 1;
    found.answered ||= item.type === 'section' ? item.fault === null : item.type !== 'fault';
    yield item;
  }
  found.answered ||= faults === 0;
}
