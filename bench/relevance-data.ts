import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { seeded } from './ranking-metrics.ts';

/** A document to rank. */
export type Doc = {
  readonly id: string;
  readonly title: string;
  readonly abstract: string;
  readonly listed: string;
  readonly authors: readonly string[];
  readonly categories: readonly string[];
};

/** One ranking task: what is known of the interest, and what is to be ranked with its grades (0 = not relevant). */
export type Task = {
  /** What the figures are averaged over: tasks of a topic first, then topics. */
  readonly topic: string;
  /** Tasks of one family tell of one another, so they are tuned on, or reported, together (relevance-split.ts). */
  readonly family: string;
  readonly phrase?: string;
  /** The phrase alone, where `phrase` also holds the name of its list. */
  readonly keywords?: string;
  readonly likes: readonly string[];
  readonly pool: readonly string[];
  readonly grades: ReadonlyMap<string, number>;
  /** Only papers listed until this day may shape statistics; '' where the set has no days. */
  readonly cut: string;
  /** Monday of the week that is ranked, where a task is one. */
  readonly week?: string;
};

/** A set of judgments: its documents, and its tasks by number of examples. */
export type JudgedSet = {
  readonly documents: readonly Doc[];
  readonly tasks: ReadonlyMap<number, readonly Task[]>;
};

/** With no examples there is no day of the last one: the first two weeks of the corpus shape statistics. */
const FIRST_CUT = '2025-03-30';
const LEAST_LATER = 5;

type Row = Record<string, unknown>;

function rows(folder: string, name: string): Row[] {
  const raw = readFileSync(join(folder, 'relevance', name));
  const text = name.endsWith('.gz') ? gunzipSync(raw).toString() : raw.toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** Ids are numbers in some sets. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

const docOf = (row: Row): Doc => ({
  id: textOf(row['id']),
  title: textOf(row['title']),
  abstract: textOf(row['abstract']),
  listed: textOf(row['listed']),
  authors: Array.isArray(row['authors']) ? (row['authors'] as string[]) : [],
  categories: Array.isArray(row['categories']) ? (row['categories'] as string[]) : [],
});

const corpus = (folder: string): Doc[] => rows(folder, 'arxiv_2025-03_2025-09.jsonl.gz').map(docOf);

/** Monday of the ISO week of a day. */
export function weekOf(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7));
  return at.toISOString().slice(0, 10);
}

/** The curated lists, each following week a task: what was listed after the cut, the rest of the cut's own week included. */
function feeds(folder: string): JudgedSet {
  const documents = corpus(folder);
  const byId = new Map(documents.map((doc) => [doc.id, doc]));
  const byWeek = Map.groupBy(documents, ({ listed }) => weekOf(listed));
  const topics = rows(folder, 'curated_topics.jsonl').filter(({ kind }) => kind === 'curated_feed');
  const tasks = new Map(
    [0, 1, 3, 5, 10].map((k) => [k, topics.flatMap((topic) => feedTasks(topic, k, byId, byWeek))]),
  );
  return { documents, tasks };
}

function feedTasks(
  topic: Row,
  k: number,
  byId: ReadonlyMap<string, Doc>,
  byWeek: ReadonlyMap<string, Doc[]>,
): Task[] {
  const members = membersOf(topic, byId);
  const cut = k === 0 ? FIRST_CUT : (members[k - 1]?.listed ?? '9999-12-31');
  const likes = members.slice(0, k).map(({ id }) => id);
  const later = members.slice(k).filter(({ listed }) => listed > cut);
  if (later.length < LEAST_LATER) return [];
  const weeks = Map.groupBy(later, ({ listed }) => weekOf(listed));
  return [...weeks].map(([week, relevant]) => ({
    topic: textOf(topic['id']),
    family: textOf(topic['repo']),
    phrase: phraseOf(topic),
    keywords: textOf(topic['phrase']),
    likes,
    pool: (byWeek.get(week) ?? []).filter(({ listed }) => listed > cut).map(({ id }) => id),
    week,
    grades: new Map(relevant.map(({ id }) => [id, 1])),
    cut,
  }));
}

function membersOf(topic: Row, byId: ReadonlyMap<string, Doc>): Doc[] {
  return (topic['members'] as string[])
    .flatMap((id) => byId.get(id) ?? [])
    .toSorted((a, b) => (a.listed === b.listed ? compare(a.id, b.id) : compare(a.listed, b.listed)));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function phraseOf(topic: Row): string {
  const list = topic['whole_list'] === true ? '' : textOf(topic['list']);
  return `${textOf(topic['phrase'])} ${list}`.trim();
}

/** Sections of a conference: the rest of its papers is the pool. */
function sections(folder: string): JudgedSet {
  const documents = corpus(folder);
  const byId = new Map(documents.map((doc) => [doc.id, doc]));
  const pools = new Map(
    rows(folder, 'conference_pools.jsonl').map((row) => [row['repo'], row['pool'] as string[]]),
  );
  const topics = rows(folder, 'curated_topics.jsonl').filter(({ kind }) => kind === 'conference_section');
  const task = (topic: Row, k: number): Task[] => {
    const members = membersOf(topic, byId);
    const likes = members.slice(0, k).map(({ id }) => id);
    if (members.length - k < LEAST_LATER) return [];
    const pool = (pools.get(topic['repo']) ?? []).filter((id) => byId.has(id) && !likes.includes(id));
    const grades = new Map(members.slice(k).map(({ id }) => [id, 1]));
    // Both conferences have sections of the same names, and are themselves too few for halves.
    const family = textOf(topic['phrase']).toLowerCase();
    return [{ topic: textOf(topic['id']), family, phrase: phraseOf(topic), likes, pool, grades, cut: '' }];
  };
  return {
    documents,
    tasks: new Map([0, 1, 3, 5, 10].map((k) => [k, topics.flatMap((topic) => task(topic, k))])),
  };
}

const USERS = 300;
const KNOWN = 10;
const OTHERS = 1000;

/** Libraries of real people: ten known papers, the rest among 1,000 others. Words come without order, so none are neighbours. */
function citeulike(folder: string): JudgedSet {
  const documents = rows(folder, 'citeulike_t_items.jsonl.gz').map((row) =>
    docOf({ id: row['id'], title: '', abstract: unordered(row['bow'] as Record<string, number>) }),
  );
  const random = seeded(11);
  const shuffle = <Item>(items: readonly Item[]): Item[] =>
    items
      .map((item) => ({ item, key: random() }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ item }) => item);
  const users = shuffle(
    rows(folder, 'citeulike_t_users.jsonl').filter(
      ({ items }) => (items as number[]).length >= KNOWN + LEAST_LATER,
    ),
  ).slice(0, USERS);
  const ids = documents.map(({ id }) => id);
  const tasks = users.map((user): Task => {
    const items = shuffle((user['items'] as number[]).map(String));
    const own = new Set(items);
    const others = new Set<string>();
    while (others.size < OTHERS) {
      const id = ids[Math.floor(random() * ids.length)] as string;
      if (!own.has(id)) others.add(id);
    }
    const relevant = items.slice(KNOWN);
    return {
      topic: String(user['user']),
      family: String(user['user']),
      likes: items.slice(0, KNOWN),
      pool: [...relevant, ...others],
      grades: new Map(relevant.map((id) => [id, 1])),
      cut: '',
    };
  });
  return { documents, tasks: new Map([[KNOWN, tasks]]) };
}

/** A stop word between the words keeps them from being read as pairs of neighbours. */
const unordered = (bag: Record<string, number>): string =>
  Object.entries(bag)
    .map(([word, count]) => `${word} the `.repeat(count))
    .join('');

function csfcube(folder: string): JudgedSet {
  const documents = rows(folder, 'csfcube_docs.jsonl').map(docOf);
  const tasks = rows(folder, 'csfcube_queries.jsonl').map((row): Task => {
    const query = textOf(row['query']);
    const grades = Object.entries(row['cands'] as Record<string, number>).filter(([id]) => id !== query);
    return {
      topic: `${query} ${textOf(row['facet'])}`,
      family: query,
      likes: [query],
      pool: grades.map(([id]) => id),
      grades: new Map(grades),
      cut: '',
    };
  });
  return { documents, tasks: new Map([[1, tasks]]) };
}

function textCollection(folder: string, name: string): JudgedSet {
  const documents = rows(folder, `${name}_docs.jsonl`).map(docOf);
  const pool = documents.map(({ id }) => id);
  const tasks = rows(folder, `${name}_queries.jsonl`).flatMap((row): Task[] => {
    const grades = new Map(Object.entries((row['qrels'] ?? {}) as Record<string, number>));
    if (grades.size === 0) return [];
    const topic = textOf(row['id']);
    return [{ topic, family: topic, phrase: textOf(row['text']), likes: [], pool, grades, cut: '' }];
  });
  return { documents, tasks: new Map([[0, tasks]]) };
}

/** Every set by its name on the command line. */
export const SETS: Readonly<Record<string, (folder: string) => JudgedSet>> = {
  feeds,
  sections,
  citeulike,
  csfcube,
  cisi: (folder) => textCollection(folder, 'cisi'),
  cranfield: (folder) => textCollection(folder, 'cranfield'),
};
