import type { PaperId } from '#src/database/ids.ts';
import type { Candidates } from './candidates.ts';
import { type Scored, scoreCandidates } from './score.ts';
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
    chosen.push(...fill(candidates, scored, picked, limit - chosen.length));
  // To who follows nothing, what trends is no stopgap.
  return profile.follows.length > 0 ? chosen : chosen.map(asTrending);
}

const asTrending = (choice: Choice): Choice => ({
  ...choice,
  reasons: choice.reasons.map((reason) => (reason.type === 'trending' ? { ...reason, fill: false } : reason)),
});

function pick(candidates: Candidates, scored: Scored, limit: number): number[] {
  const picked: number[] = [];
  const { scores, resemblance, worth, place } = candidates.desk;
  resemblance.fill(0);
  place.fill(0);
  worth.set(scores);
  const drop = (position: number): void => {
    worth[position] = Number.NEGATIVE_INFINITY;
    resemblance[position] = 1;
  };
  const take = (position: number): void => {
    place[position] = picked.push(position);
    drop(position);
    for (const twin of candidates.twins(position)) drop(twin);
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
    if (positions.some((position) => place[position] !== 0)) continue;
    const best = bestOf(positions, worth);
    if (best >= 0) take(best);
  }
  let list = shortlist(scored.eligible, worth);
  while (picked.length < limit) {
    let best = bestOf(list.positions, worth);
    if (best < 0 || (worth[best] as number) <= list.bound) {
      list = shortlist(scored.eligible, worth);
      best = list.positions[0] ?? -1;
    }
    if (best < 0) break;
    take(best);
  }
  return picked;
}

/** Positions of most worth, the lowest of equals first; none of those left out is or gets worth more than `bound`. */
type Shortlist = { readonly positions: readonly number[]; readonly bound: number };

/** Looked through for each place of the digest, instead of everything. */
const SHORTLIST = 24;

/** The {@link SHORTLIST} positions of most worth. Worth shrinks as papers are taken (one below 0 grows, but not above it). */
function shortlist(among: Int32Array, worth: Float64Array): Shortlist {
  const best: number[] = [];
  let bound = Number.NEGATIVE_INFINITY;
  let least = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < among.length; at += 1) {
    const position = among[at] as number;
    const value = worth[position] as number;
    if (value === Number.NEGATIVE_INFINITY) continue;
    if (best.length === SHORTLIST) {
      const isLess = value < least || (value === least && position > (best[SHORTLIST - 1] as number));
      bound = Math.max(bound, 0, isLess ? value : least);
      if (isLess) continue;
      best.pop();
    }
    let place = best.length;
    for (; place > 0; place -= 1) {
      const other = best[place - 1] as number;
      const others = worth[other] as number;
      if (others > value || (others === value && other < position)) break;
      best[place] = other;
    }
    best[place] = position;
    least = worth[best[best.length - 1] as number] as number;
  }
  return { positions: best, bound };
}

/** The position of most worth, the lowest of equals; −1 when all are taken, or not eligible. */
function bestOf(positions: ArrayLike<number>, worth: Float64Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < positions.length; at += 1) {
    const position = positions[at] as number;
    const value = worth[position] as number;
    // Of what is not eligible the worth is no number.
    if (!(value > most || (value === most && position < best))) continue;
    best = position;
    most = value;
  }
  return best;
}

function fill(candidates: Candidates, scored: Scored, picked: readonly number[], missing: number): Choice[] {
  const taken = new Set(picked.flatMap((at) => [at, ...candidates.twins(at)]));
  const chosen: Choice[] = [];
  for (const position of candidates.byTrend) {
    const paper = candidates.papers[position];
    if (chosen.length >= missing || !paper || paper.trend <= 0) break;
    if (taken.has(position) || scored.isBarred(position)) continue;
    for (const twin of candidates.twins(position)) taken.add(twin);
    const weight = FILL * paper.trend;
    chosen.push({ paper: paper.id, score: weight, reasons: [{ type: 'trending', weight, fill: true }] });
  }
  return chosen;
}
