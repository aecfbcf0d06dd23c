import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type Source, type SourceRequest } from '../source.ts';
import { fetchChanged, type Network } from './fetch.ts';
import { readEntry } from './huggingface-entry.ts';
import { dateInName } from './json-lines.ts';
import { jsonOf, readRecorded, recordedCall } from './recorded-file.ts';

/** Rows asked for at once. */
const PAGE = 50;
/** Pages of one day at most: a guard against a server that repeats itself. */
const MAX_PAGES = 40;
/** Milliseconds after which an earlier day is asked again. */
const REVISIT_MS = 6 * 3_600_000;
/** Votes keep growing that long: days so far back are asked again. */
const REVISIT_DAYS = 14;

/**
 * The community's daily list of Hugging Face, `GET /api/daily_papers`. Live: the days from `from` to `to`, by default today
 * and the two weeks before it, since votes keep growing; with `week` or `month` the list of that. From files: recorded answers.
 */
export function createHuggingFaceSource(network: Network | null, base: string): Source {
  return {
    name: 'huggingface',
    read: (request) => (request.files ? readFiles(request.files, request) : readLive(network, base, request)),
  };
}

async function* readFiles(files: readonly string[], request: SourceRequest): AsyncIterable<SourceItem> {
  for (const file of files) {
    const recorded = await readRecorded(file);
    if ('message' in recorded) {
      yield fault(file, recorded.message);
      continue;
    }
    const call = recordedCall(recorded.body);
    // A call's file is named by the time of the call, its address by the day asked for.
    const day = dateInName(call ? call.url : file) ?? request.listedOn;
    yield* readAnswer(call?.body ?? recorded.body, { where: file, day });
  }
}

async function* readLive(
  network: Network | null,
  base: string,
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  if (!network) return yield fault('huggingface', 'no network here: name recorded files');
  const { week, month } = request;
  if (week !== undefined) return yield* readList(network, base, { name: week, query: { week } }, request);
  if (month !== undefined) return yield* readList(network, base, { name: month, query: { month } }, request);
  const to = request.to ?? utcDate(request.now);
  const from = request.from ?? addDays(to, -REVISIT_DAYS);
  for (let day = to; day >= from; day = addDays(day, -1)) {
    if (!request.from && (await wasAskedLately(network, day, request.now))) continue;
    let broken = false;
    for await (const item of readList(network, base, { name: day, query: { date: day }, day }, request)) {
      broken ||= item.type === 'fault' && item.fault.where.startsWith(base);
      yield item;
    }
    // The other days are asked at the same door.
    if (broken) return;
  }
}

/** Days before yesterday change slowly: asking them four times a day is enough. */
async function wasAskedLately({ memory }: Network, day: IsoDate, now: Date): Promise<boolean> {
  if (day >= addDays(utcDate(now), -1)) return false;
  const asked = Date.parse(String(await memory.recall(askedKey(day))));
  return now.getTime() - asked < REVISIT_MS;
}

const askedKey = (name: string) => `huggingface:${name}:asked`;

/** A list of the API: of a day, a week or a month. `day`: where entries name none. */
type List = {
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  readonly day?: IsoDate;
};

async function* readList(
  network: Network,
  base: string,
  list: List,
  request: SourceRequest,
): AsyncIterable<SourceItem> {
  const whole: SourceItem = {
    type: 'checkpoint',
    reached: () => network.memory.remember(askedKey(list.name), request.now.toISOString()),
  };
  const key = `huggingface:${list.name}:pages`;
  const pagesBefore = Number(await network.memory.recall(key)) || 0;
  const seen = new Set<string>();
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const url = `${base}?${new URLSearchParams({ ...list.query, limit: String(PAGE), p: String(page) }).toString()}`;
    const fetched = await fetchChanged(network, url, 'application/json');
    if (fetched.type === 'fault') return yield fetched.item;
    // The page after an unchanged one may have changed all the same.
    if (fetched.type === 'unchanged' && page + 1 < pagesBefore) continue;
    if (fetched.type === 'unchanged') return yield whole;
    const answer = readAnswer(fetched.body, { where: url, day: list.day, receivedAt: request.now });
    const items = answer.filter((item) => item.type !== 'listing' || !seen.has(nameIn(item)));
    yield* items;
    if (items.every((item) => item.type !== 'fault'))
      yield {
        type: 'checkpoint',
        reached: () =>
          Promise.all([fetched.stored(), network.memory.remember(key, page + 1)]).then(() => undefined),
      };
    // A page may hold fewer than asked for and be followed by another; the end is one that brings nothing new.
    const news = items.filter((item) => item.type === 'listing');
    if (news.length === 0) return yield whole;
    for (const item of news) seen.add(nameIn(item));
  }
  yield fault(base, `${list.name}: more than ${MAX_PAGES} pages`);
}

type AnswerContext = {
  readonly where: string;
  readonly day?: IsoDate | undefined;
  readonly receivedAt?: Date;
};

function readAnswer(body: Buffer, context: AnswerContext): SourceItem[] {
  const json = jsonOf(body);
  return Array.isArray(json)
    ? json.map((entry, index) => readEntry(entry, { ...context, index: index + 1 }))
    : [fault(context.where, 'not an answer of daily_papers: a JSON array is expected')];
}

const nameIn = ({ listing }: Extract<SourceItem, { type: 'listing' }>) => listing.paper.sourceId;
