import type { Queryable } from '#src/database/database.ts';
import { type IsoDate, type PaperId, type SubscriberId, utcDate } from '#src/database/ids.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import type { Choice, MatchingPaper, Profile } from '#src/matching/types.ts';
import type { AsidePaper } from '#src/subscribers/feedback-store.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { PlannedDigest } from './digest.ts';

/** A paper that its reader put aside, ready to come again. */
export type Reminder = {
  readonly paper: PaperId;
  /** The (UTC) day it was put aside. */
  readonly on: IsoDate;
  /** It has waited for a free place long enough. */
  readonly overdue: boolean;
};

/** Reminders of readers who want them, the longest waiting first; the others are absent. */
export type RemindersOf = (
  db: Queryable,
  readers: readonly { readonly id: SubscriberId; readonly reminders: boolean }[],
  profiles: ReadonlyMap<SubscriberId, Profile>,
  now: Date,
) => Promise<Map<SubscriberId, Reminder[]>>;

/** A paper that was put aside comes again after so many days where there is room, after so many in any case. */
const AFTER_DAYS = 7;
const OVERDUE_DAYS = 14;
/** Reminders in one digest at most. */
const MOST = 2;
const DAY_MS = 86_400_000;

/** Finds reminders: of papers that are neither withdrawn nor muted, and of which there was none yet. */
export function createRemindersOf(deps: {
  /** Papers marked "not now" at or before an instant, with no reminder so far and not withdrawn, the oldest first. */
  readonly putAside: (
    db: Queryable,
    ids: readonly SubscriberId[],
    before: Date,
  ) => Promise<Map<SubscriberId, AsidePaper[]>>;
  readonly papersByIds: (ids: readonly PaperId[]) => Promise<readonly MatchingPaper[]>;
  readonly catalogue: () => Promise<readonly CatalogueTopic[]>;
}): RemindersOf {
  return async (db, readers, profiles, now) => {
    const ids = readers.filter(({ reminders }) => reminders).map(({ id }) => id);
    const aside =
      ids.length === 0
        ? new Map<SubscriberId, AsidePaper[]>()
        : await deps.putAside(db, ids, new Date(now.getTime() - AFTER_DAYS * DAY_MS));
    if (aside.size === 0) return new Map();
    const papers = new Set([...aside.values()].flat().map(({ paper }) => paper));
    const index = indexCandidates(await deps.papersByIds([...papers]), await deps.catalogue());
    const none: ReadonlySet<PaperId> = new Set();
    return new Map(
      [...aside].map(([id, marked]) => {
        const profile = profiles.get(id);
        const wanted = marked.filter(
          ({ paper }) => profile && index.explain(profile, none, paper).type !== 'muted',
        );
        return [id, wanted.map((each) => reminder(each, now))];
      }),
    );
  };
}

const reminder = ({ paper, at }: AsidePaper, now: Date): Reminder => ({
  paper,
  on: utcDate(at),
  overdue: now.getTime() - at.getTime() >= OVERDUE_DAYS * DAY_MS,
});

/** The reminders in planned digests that were written. */
export function remindersIn(
  rows: readonly PlannedDigest[],
  written: readonly { readonly subscriberId: SubscriberId }[],
): { subscriber: SubscriberId; paper: PaperId }[] {
  const inserted = new Set(written.map(({ subscriberId }) => subscriberId));
  return rows
    .filter(({ subscriberId }) => inserted.has(subscriberId))
    .flatMap(({ subscriberId, content }) =>
      content.paperIds
        .filter((_, at) => content.reasons[at]?.some(({ type }) => type === 'reminder'))
        .map((paper) => ({ subscriber: subscriberId, paper })),
    );
}

/**
 * Puts reminders behind what matches and before what merely fills up: where there are places left, and of those that
 * are overdue one in any case. Never more than `limit` papers.
 */
export function withReminders(
  chosen: readonly Choice[],
  reminders: readonly Reminder[],
  limit: number,
): readonly Choice[] {
  const isFill = ({ reasons }: Choice): boolean =>
    reasons.some((reason) => reason.type === 'trending' && reason.fill);
  const matching = chosen.filter((choice) => !isFill(choice));
  const free = Math.max(limit - matching.length, reminders.some(({ overdue }) => overdue) ? 1 : 0);
  const shown = reminders.slice(0, Math.min(MOST, free, limit));
  if (shown.length === 0) return chosen;
  const added = shown.map(
    ({ paper, on }): Choice => ({ paper, score: 0, reasons: [{ type: 'reminder', on, weight: 0 }] }),
  );
  return [...matching.slice(0, limit - added.length), ...added, ...chosen.filter(isFill)].slice(0, limit);
}
