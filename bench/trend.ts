import { priorOf } from '#src/papers/prior.ts';
import { bootstrap, precisionAt, rocAuc, seeded } from './ranking-metrics.ts';
import { type Announced, announced2025, announcedIn, recordedMonths } from './trend-data.ts';

type Method = (paper: Announced) => number;

/**
 * How well the papers that a community lists are found without any vote: each day's arXiv announcements of every recorded
 * month, or of those named (`2026-06`), are ranked by the prior alone, against random order, newest first and how often papers of the primary category were
 * listed in 2025. Figures are means over days with their 95 % bootstrap interval. The community lists a paper up to a
 * week after its announcement, and the recording ends with the month: the last days count some listed ones as not.
 * @throws Error when a month named isn't recorded
 */
export async function run(args: string[]): Promise<void> {
  const recorded = recordedMonths();
  const named = args.filter((arg) => !arg.startsWith('--'));
  const missing = named.filter((month) => !recorded.includes(month));
  if (missing.length > 0 || recorded.length === 0)
    throw new Error(`Not recorded: ${missing.join(', ')}. There are: ${recorded.join(', ') || 'none'}.`);
  for (const month of named.length > 0 ? named : recorded) evaluate(month, args.includes('--days'));
}

function evaluate(month: string, withDays: boolean): void {
  const days = Map.groupBy(announcedIn(month), ({ day }) => day);
  const usable = [...days].filter(([, papers]) => papers.length >= 20 && papers.some(({ listed }) => listed));
  const random = seeded(7);
  const category = categoryFrequency();
  const methods: Readonly<Record<string, Method>> = {
    prior: priorOf,
    'category frequency': category,
    'newest first': ({ id }) => Number(id),
    random: () => random(),
  };
  const papers = usable.flatMap(([, list]) => list);
  console.log(
    `${month}: ${usable.length} days, ${papers.length} announcements, ${papers.filter(({ listed }) => listed).length} listed`,
  );
  const results = Object.entries(methods).map(([name, score]) => ({
    name,
    days: usable.map(([day, list]) => measure(day, list, score)),
  }));
  for (const { name, days: measured } of results) {
    const auc = bootstrap(
      measured.map((day) => day.auc),
      seeded(1),
    );
    const precision = bootstrap(
      measured.map((day) => day.precision),
      seeded(1),
    );
    console.log(`${name.padEnd(20)} ROC AUC ${shown(auc)}   precision@20 ${shown(precision)}`);
  }
  if (withDays) for (const day of results[0]?.days ?? []) console.log(day);
}

function measure(day: string, papers: readonly Announced[], score: Method) {
  const items = papers.map((paper) => ({ score: score(paper), relevant: paper.listed }));
  return {
    day,
    papers: items.length,
    listed: items.filter(({ relevant }) => relevant).length,
    auc: rocAuc(items),
    precision: precisionAt(20, items, seeded(3)),
  };
}

/** Share of the announcements of 2025 that were listed, by primary category. */
function categoryFrequency(): Method {
  const groups = Map.groupBy(announced2025(), ({ categories }) => categories[0] ?? '');
  const share = new Map(
    [...groups].map(([name, all]) => [name, all.filter(({ listed }) => listed).length / all.length]),
  );
  return ({ categories }) => share.get(categories[0] ?? '') ?? 0;
}

const shown = ({ mean, low, high }: { mean: number; low: number; high: number }) =>
  `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
