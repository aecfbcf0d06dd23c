import type { CoverageView } from './digest-view.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';

/** What a digest's coverage line tells of. */
export type CoverageFigures = {
  /** Papers of the digest. */
  readonly shown: number;
  readonly candidates: number;
  /** Candidates that an earlier digest had brought already; null where it is not known. */
  readonly had: number | null;
  readonly coverage: CoverageView | null;
};

/** Late parts that are named; of more than these the others are counted. */
const LATE_NAMED = 3;

/** How a digest came about, in one line: `428 new in cs.AI · 9 of 428 papers chosen for you · 31 you already had · cs.CL is late`. */
export function coverageLine(locale: Locale, figures: CoverageFigures): string {
  const { digest } = locale.phrases;
  const { shown, candidates, had, coverage } = figures;
  const values = { shown: locale.number(shown), candidates: locale.number(candidates) };
  const parts = (coverage?.fresh ?? []).map(({ name, count }) =>
    format(locale.plural(digest.fresh, count), { name, count: locale.number(count) }),
  );
  parts.push(format(locale.plural(digest.count, shown), values));
  if (had !== null && had > 0)
    parts.push(format(locale.plural(digest.had, had), { count: locale.number(had) }));
  if (coverage && coverage.late.length > 0) parts.push(lateWords(locale, coverage.late));
  for (const [why, names] of Map.groupBy(coverage?.quiet ?? [], (part) => part.why)) {
    const list = locale.list(names.map(({ name }) => name));
    parts.push(format(locale.plural(digest.quiet[why], names.length), { names: list }));
  }
  return parts.join(' · ');
}

function lateWords(locale: Locale, late: readonly string[]): string {
  const named = late.slice(0, LATE_NAMED);
  const rest = late.length - named.length;
  const names = rest > 0 ? `${named.join(', ')} +${locale.number(rest)}` : locale.list(named);
  return format(locale.plural(locale.phrases.digest.late, late.length), { names });
}
