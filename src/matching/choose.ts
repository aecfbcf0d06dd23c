import type { PaperId } from '#src/database/ids.ts';
import { type Candidates, type Scored, scoreCandidates } from './score.ts';
import type { Choice, Profile } from './types.ts';

/** A candidate that resembles a chosen one loses up to this share of its score (maximal marginal relevance). */
const DIVERSITY = 0.5;
/** Score of a fill per unit of trend: below everything that matches. */
export const FILL = 0.1;

/**
 * Chooses the papers of one digest: best first by score, but every followed topic that has something gets its
 * best paper first (heaviest follows first; above a dial of 50 ever fewer places are kept for this), near-duplicates of a chosen paper stand back, and what is left is
 * filled with trending papers where the reader allows it. Carbonell & Goldstein, "The use of MMR", 1998.
 */
export function choosePapers(
  candidates: Candidates,
  profile: Profile,
  exclude: ReadonlySet<PaperId>,
): Choice[] {
  const limit = Math.max(0, Math.floor(profile.limit));
  const scored = scoreCandidates(candidates, profile, exclude);
  const picked = pick(candidates, scored, limit);
  const chosen = scored.choices(picked.toSorted((a, b) => scored.score(b) - scored.score(a) || a - b));
  if (chosen.length < limit && profile.fillWithTrending && !scored.trendMuted)
    chosen.push(...fill(candidates, scored, new Set(picked), limit - chosen.length));
  // To who follows nothing, what trends is no stopgap.
  return profile.follows.length > 0 ? chosen : chosen.map(asTrending);
}

const asTrending = (choice: Choice): Choice => ({
  ...choice,
  reasons: choice.reasons.map((reason) => (reason.type === 'trending' ? { ...reason, fill: false } : reason)),
});

function pick(candidates: Candidates, scored: Scored, limit: number): number[] {
  const picked: number[] = [];
  const { scores, resemblance, worth } = candidates.desk;
  resemblance.fill(0);
  worth.set(scores);
  const titles = new Set<string>();
  const free = (position: number): boolean => !titles.has(candidates.titleKey(position));
  const take = (position: number): void => {
    picked.push(position);
    worth[position] = Number.NEGATIVE_INFINITY;
    titles.add(candidates.titleKey(position));
    const { positions, cosines } = candidates.neighbours(position);
    for (let at = 0; at < positions.length; at += 1) {
      const other = positions[at] as number;
      const cosine = cosines[at] as number;
      if (cosine <= (resemblance[other] as number)) continue;
      resemblance[other] = cosine;
      worth[other] = (scores[other] as number) * (1 - DIVERSITY * cosine);
    }
  };
  const reserved = Math.round(limit * Math.min(1, 2 * (1 - scored.dial)));
  for (const positions of scored.byFollow) {
    if (picked.length >= reserved) break;
    if (picked.some((position) => positions.includes(position))) continue;
    const best = bestOf(positions, worth, free);
    if (best >= 0) take(best);
  }
  while (picked.length < limit) {
    const best = bestOf(scored.eligible, worth, free);
    if (best < 0) break;
    take(best);
  }
  return picked;
}

/** The position of most worth, the lowest of equals; −1 when none is free. */
function bestOf(
  positions: readonly number[],
  worth: Float64Array,
  free: (position: number) => boolean,
): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < positions.length; at += 1) {
    const position = positions[at] as number;
    const value = worth[position] as number;
    if (value < most || (value === most && position > best) || !free(position)) continue;
    best = position;
    most = value;
  }
  return best;
}

function fill(
  candidates: Candidates,
  scored: Scored,
  picked: ReadonlySet<number>,
  missing: number,
): Choice[] {
  const titles = new Set([...picked].map((at) => candidates.titleKey(at)));
  const chosen: Choice[] = [];
  for (const position of candidates.byTrend) {
    const paper = candidates.papers[position];
    if (chosen.length >= missing || !paper || paper.trend <= 0) break;
    const title = candidates.titleKey(position);
    if (picked.has(position) || scored.isBarred(position) || titles.has(title)) continue;
    titles.add(title);
    const weight = FILL * paper.trend;
    chosen.push({ paper: paper.id, score: weight, reasons: [{ type: 'trending', weight, fill: true }] });
  }
  return chosen;
}
