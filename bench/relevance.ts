import { parseArgs } from 'node:util';
import { bootstrap, seeded } from './ranking-metrics.ts';
import { bm25, keywordAnd } from './relevance-baselines.ts';
import { type Doc, type JudgedSet, SETS, type Task } from './relevance-data.ts';
import { simpleHybrid } from './relevance-hybrid.ts';
import { linearModel } from './relevance-linear.ts';
import { type Measures, measure } from './relevance-measures.ts';
import { fitDay, type MethodFactory, paperboy, type Refit } from './relevance-methods.ts';
import { isSplit, SPLITS, splitOf } from './relevance-split.ts';

const METHODS: Readonly<Record<string, MethodFactory>> = {
  paperboy,
  simple_hybrid: simpleHybrid,
  keyword_and: keywordAnd,
  bm25,
  svm: linearModel('svm'),
  logistic: linearModel('logistic'),
};

const USAGE = `usage: npm run eval -- relevance [--set ${Object.keys(SETS).join('|')}] [--data DIR] [--k 0,1,3,5,10]
  [--methods ${Object.keys(METHODS).join(',')}] [--refit cut|week] [--split ${SPLITS.join('|')}] [--topics] [--json]
Ranks judged papers with this engine and with the usual ones; nDCG@10, MAP, recall@20, ROC AUC, 95 % bootstrap over topics.
--split: only that half of the judgments (feeds by repository, sections by name, else by person or query).`;

type Summary = Measures & { readonly lo: Measures; readonly hi: Measures; readonly topics: number };

/** `npm run eval -- relevance`: the protocol of the data's README. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      set: { type: 'string' },
      data: { type: 'string', default: new URL('../../shared/data', import.meta.url).pathname },
      k: { type: 'string' },
      methods: { type: 'string', default: Object.keys(METHODS).join(',') },
      refit: { type: 'string', default: 'cut' },
      split: { type: 'string' },
      topics: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const names = values.set ? [values.set] : Object.keys(SETS);
  const methods = values.methods.split(',');
  if (
    values.help ||
    names.some((name) => !SETS[name]) ||
    methods.some((name) => !METHODS[name]) ||
    !isRefit(values.refit) ||
    (values.split !== undefined && !isSplit(values.split))
  ) {
    console.error(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const ks = values.k?.split(',').map(Number);
  const result: Record<string, Record<string, Record<string, Summary>>> = {};
  for (const name of names) {
    const set = (SETS[name] as (folder: string) => JudgedSet)(values.data);
    for (const method of methods) {
      const measured = evaluate(
        set,
        METHODS[method] as MethodFactory,
        method,
        ({ k, task }) => (!ks || ks.includes(k)) && (!values.split || splitOf(task.family) === values.split),
        values.refit,
        name === 'csfcube' ? 2 : 1,
      );
      for (const [k, topics] of measured) {
        const summary = summarise([...topics.values()]);
        ((result[name] ??= {})[k] ??= {})[method] = summary;
        if (!values.json) console.log(line(name, k, method, summary));
        if (values.topics)
          for (const [topic, each] of topics) console.error(`  ${topic} ${each.ndcg10.toFixed(3)}`);
      }
    }
  }
  if (values.json) console.log(JSON.stringify(result));
}

const isRefit = (value: string): value is Refit => value === 'cut' || value === 'week';

/** Measures per number of examples and topic, for the tasks that a method can do. */
function evaluate(
  set: JudgedSet,
  factory: MethodFactory,
  method: string,
  isWanted: (one: { k: number; task: Task }) => boolean,
  refit: Refit,
  relevantFrom: number,
): Map<number, Map<string, Measures>> {
  const measured: Map<number, Map<string, Measures[]>> = new Map();
  const tasks = [...set.tasks]
    .flatMap(([k, list]) => list.map((task) => ({ k, task })))
    .filter((one) => isWanted(one) && suits(method, one.task));
  for (const [day, group] of Map.groupBy(tasks, ({ task }) => fitDay(task, refit))) {
    const scoresOf = factory(set.documents, day === '' ? set.documents : listedUntil(set.documents, day));
    for (const { k, task } of group) {
      const topics = measured.get(k) ?? new Map<string, Measures[]>();
      const ranking = rankPool(task, scoresOf(task));
      const figures = measure(ranking, (id) => task.grades.get(id) ?? 0, relevantFrom);
      topics.set(task.topic, [...(topics.get(task.topic) ?? []), figures]);
      measured.set(k, topics);
    }
  }
  return new Map(
    [...measured]
      .toSorted(([a], [b]) => a - b)
      .map(([k, topics]) => [k, new Map([...topics].map(([topic, all]) => [topic, average(all)]))]),
  );
}

/** Models of examples need examples, and models of words need words. */
function suits(method: string, { likes, phrase }: Task): boolean {
  if (method === 'svm' || method === 'logistic') return likes.length > 0;
  return method === 'paperboy' || method === 'simple_hybrid' || (phrase ?? '') !== '';
}

const listedUntil = (documents: readonly Doc[], day: string): Doc[] =>
  documents
    .filter(({ listed }) => listed <= day)
    .toSorted((a, b) => (a.listed < b.listed ? -1 : a.listed > b.listed ? 1 : 0));

/** The pool by falling score; ties in an order drawn with a fixed seed. */
function rankPool(task: Task, scores: readonly number[]): string[] {
  const random = seeded(5);
  return task.pool
    .map((id, at) => ({ id, score: scores[at] as number, tie: random() }))
    .toSorted((a, b) => b.score - a.score || a.tie - b.tie)
    .map(({ id }) => id);
}

const NAMES = ['ndcg10', 'ndcg20p', 'map', 'recall20', 'auc'] as const;

const build = (value: (name: (typeof NAMES)[number]) => number): Measures =>
  Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Measures;

function average(all: readonly Measures[]): Measures {
  return build((name) => all.reduce((sum, each) => sum + each[name], 0) / all.length);
}

function summarise(topics: readonly Measures[]): Summary {
  const intervals = new Map(
    NAMES.map((name) => [
      name,
      bootstrap(
        topics.map((each) => each[name]),
        seeded(1),
      ),
    ]),
  );
  return {
    ...build((name) => intervals.get(name)?.mean ?? NaN),
    topics: topics.length,
    lo: build((name) => intervals.get(name)?.low ?? NaN),
    hi: build((name) => intervals.get(name)?.high ?? NaN),
  };
}

function line(set: string, k: number, method: string, summary: Summary): string {
  const shown = (name: (typeof NAMES)[number]): string =>
    `${summary[name].toFixed(3)} [${summary.lo[name].toFixed(3)}, ${summary.hi[name].toFixed(3)}]`;
  return (
    `${set.padEnd(10)} k=${String(k).padEnd(3)} ${method.padEnd(12)} nDCG@10 ${shown('ndcg10')}` +
    `  nDCG%20 ${summary.ndcg20p.toFixed(3)}  MAP ${shown('map')}  AUC ${summary.auc.toFixed(3)}  (${summary.topics} topics)`
  );
}
