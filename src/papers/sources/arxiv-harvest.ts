import { type IsoDate, utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type SourceRequest } from '../source.ts';
import { type ArxivAnswer, readArxivXml } from './arxiv-xml.ts';
import { fetchChanged, type Network } from './fetch.ts';
import { isFields } from './loose-record.ts';

/** What to harvest: the records changed on these days (included), of the categories named. */
export type Harvest = {
  readonly from: IsoDate;
  readonly to: IsoDate;
  readonly categories: readonly string[];
};

/** Answers of one harvest at most: a guard against a token that leads in circles. 1,000 records each. */
const MAX_PARTS = 5000;

/**
 * A complete harvest by OAI-PMH (`ListRecords` in `arXivRaw`, with resumption tokens), one set after the other. After
 * each part, once it is stored, the token is remembered: an interrupted harvest goes on where it was, and one whose
 * token expired (`badResumptionToken`) starts its set again, which is idempotent.
 */
export async function* readHarvest(
  network: Network,
  harvest: Harvest,
  request: SourceRequest,
  base: string,
): AsyncIterable<SourceItem> {
  for (const set of setsOf(harvest.categories)) yield* readSet(network, { ...harvest, set, base }, request);
}

type SetHarvest = Harvest & { readonly set: string; readonly base: string };

async function* readSet(
  network: Network,
  harvest: SetHarvest,
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  const key = `harvest:${harvest.base}:${harvest.set}:${harvest.from}:${harvest.to}`;
  let token = tokenOf(await network.memory.recall(key));
  let restarted = false;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const url = partUrl(harvest, token);
    const fetched = await fetchChanged(
      { ...network, memory: unconditional },
      url,
      'application/xml, text/xml',
    );
    if (fetched.type === 'unchanged') return;
    if (fetched.type === 'fault') return yield fetched.item;
    const answer: ArxivAnswer = { entries: 0 };
    const items = [...readArxivXml(fetched.body, contextOf(url, request), answer)];
    if (answer.errorCode === 'badResumptionToken' && token && !restarted) {
      token = undefined;
      restarted = true;
      continue;
    }
    yield* ofCategories(items, harvest.categories);
    if (items.some(isBroken)) return;
    const next = answer.resumptionToken;
    if (next && next === token) return yield fault(url, 'the resumption token leads back to itself');
    token = next;
    yield { type: 'checkpoint', reached: () => network.memory.remember(key, { token: next ?? null }) };
    if (!next) return;
  }
  yield fault(harvest.base, `more than ${MAX_PARTS} parts`);
}

/** Parts of a harvest have no marks worth keeping. */
const unconditional = { recall: async () => undefined, remember: async () => undefined };

/** A part that broke off: a fault of the document, not of one record in it. */
const isBroken = (item: SourceItem) => item.type === 'fault' && item.fault.message.startsWith('XML: ');

const contextOf = (where: string, { now }: SourceRequest) => ({
  where,
  day: utcDate(now),
  observedAt: now,
  live: true,
});

function tokenOf(value: unknown): string | undefined {
  return isFields(value) && typeof value['token'] === 'string' ? value['token'] : undefined;
}

function partUrl({ base, set, from, to }: SetHarvest, token: string | undefined): string {
  const query = token
    ? { verb: 'ListRecords', resumptionToken: token }
    : { verb: 'ListRecords', metadataPrefix: 'arXivRaw', set, from, until: to };
  return `${base}?${new URLSearchParams(query).toString()}`;
}

/** OAI sets are archives: `cs`, `math`, and `physics:hep-th` for what stands under physics. */
export function setsOf(categories: readonly string[]): string[] {
  const own = new Set(['cs', 'econ', 'eess', 'math', 'q-bio', 'q-fin', 'stat']);
  const archives = categories.map((category) => category.split('.')[0] ?? category);
  return [
    ...new Set(
      archives.map((archive) =>
        own.has(archive) ? archive : archive === 'physics' ? 'physics' : `physics:${archive}`,
      ),
    ),
  ];
}

/** Papers of other categories of the set are left out; all else passes. */
function ofCategories(items: readonly SourceItem[], asked: readonly string[]): SourceItem[] {
  const isAsked = (category: string) => asked.some((name) => isWithin(category, name));
  return items.filter(
    (item) => item.type !== 'listing' || asked.length === 0 || item.listing.paper.categories?.some(isAsked),
  );
}

/** True for a category and for those of an archive: `cs.CL` is within `cs.CL`, `cs` and `cs.*`. */
export function isWithin(category: string, name: string): boolean {
  return category === name || category.startsWith(`${name.replace(/\.\*$/, '')}.`);
}
