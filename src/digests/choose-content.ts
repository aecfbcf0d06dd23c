import type { Queryable } from '#src/database/database.ts';
import type { IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { Profile } from '#src/matching/types.ts';
import { nextDigestAt, slotDate } from '#src/subscribers/schedule.ts';
import type { Preferences } from '#src/subscribers/subscriber.ts';
import type { EditionIndex } from './candidates.ts';
import type { PlannedDigest } from './digest.ts';
import { type Reminder, type RemindersOf, withReminders } from './reminders.ts';

/** A reader whose hour has come, locked by the planning transaction. */
export type DueReader = Preferences & {
  readonly id: SubscriberId;
  readonly nextDigestAt: Date;
  /** This will be the reader's first digest. */
  readonly welcomeDue: boolean;
};

/** What choosing for readers needs. */
export type ChooseDeps = {
  readonly deadlineHours: number;
  readonly editionIndex: (on: IsoDate, at: Date) => Promise<EditionIndex>;
  readonly profilesOf: (db: Queryable, readers: readonly DueReader[]) => Promise<Map<SubscriberId, Profile>>;
  /** Papers put aside that come again, for readers who want that (reminders.ts). */
  readonly remindersOf: RemindersOf;
  /** Papers of digests that were sent or still may be, from edition `since` on. */
  readonly seenPapers: (
    db: Queryable,
    readers: readonly SubscriberId[],
    since: IsoDate,
  ) => Promise<Map<SubscriberId, Set<PaperId>>>;
};

const HOUR_MS = 3_600_000;

/**
 * The slot a reader is served for: the last one that has passed. A service that was down for days thus sends one
 * digest with the best of the gap, not one for each day.
 */
function lastSlot(reader: DueReader, now: Date): Date {
  let slot = reader.nextDigestAt;
  for (let next = nextDigestAt(reader, slot); next <= now; next = nextDigestAt(reader, slot)) slot = next;
  return slot;
}

/**
 * Ranks for readers who are due: one ledger row for each, with its content or the reason to skip it.
 * @param on edition date; default: the local date of each reader's slot
 */
export async function planReaders(
  deps: ChooseDeps,
  db: Queryable,
  due: readonly DueReader[],
  now: Date,
  on?: IsoDate,
): Promise<PlannedDigest[]> {
  if (due.length === 0) return [];
  const profiles = await deps.profilesOf(db, due);
  const reminders = await deps.remindersOf(db, due, profiles, now);
  const slots = due.map((reader) => ({ reader, slotAt: lastSlot(reader, now) }));
  const byEdition = Map.groupBy(slots, ({ reader, slotAt }) => on ?? slotDate(reader, slotAt));
  const rows: PlannedDigest[] = [];
  for (const [editionDate, readers] of byEdition) {
    const edition = await deps.editionIndex(editionDate, now);
    const ids = readers.map(({ reader }) => reader.id);
    const seen = await deps.seenPapers(db, ids, edition.since);
    edition.index.prepare(ids.flatMap((id) => profiles.get(id) ?? []));
    for (const { reader, slotAt } of readers) {
      const profile = profiles.get(reader.id);
      if (!profile) throw new Error(`no profile of subscriber ${reader.id}`);
      const content = chooseContent(
        edition,
        profile,
        seen.get(reader.id) ?? new Set(),
        reminders.get(reader.id) ?? [],
      );
      const deadline = new Date(now.getTime() + deps.deadlineHours * HOUR_MS);
      rows.push({
        editionDate,
        subscriberId: reader.id,
        content,
        slotAt,
        deadline,
        ...kindOf(reader, content),
      });
    }
  }
  return rows;
}

function chooseContent(
  edition: EditionIndex,
  profile: Profile,
  seen: ReadonlySet<PaperId>,
  reminders: readonly Reminder[],
): PlannedDigest['content'] {
  const judged = [...profile.likes, ...profile.dislikes, ...(profile.notNow ?? [])];
  const chosen = edition.index.choose(profile, judged.length === 0 ? seen : new Set([...seen, ...judged]));
  const choices = withReminders(chosen, reminders, profile.limit);
  return {
    paperIds: choices.map((choice) => choice.paper),
    reasons: choices.map((choice) => choice.reasons),
    candidates: edition.ids.length,
    had: [...seen].filter((paper) => edition.among.has(paper)).length,
  };
}

function kindOf(reader: DueReader, content: PlannedDigest['content']): Pick<PlannedDigest, 'kind' | 'skip'> {
  const kind = reader.welcomeDue ? 'welcome' : reader.frequency === 'weekly' ? 'weekly' : 'daily';
  if (content.paperIds.length > 0) return { kind };
  return reader.tellNothingToday || reader.welcomeDue ? { kind: 'nothing' } : { kind, skip: 'no-papers' };
}

/** The first slot of a later local date than the edition the reader has just got. */
export function firstSlotAfter(reader: Preferences, editionDate: IsoDate | undefined, now: Date): Date {
  let slot = nextDigestAt(reader, now);
  while (editionDate !== undefined && slotDate(reader, slot) <= editionDate)
    slot = nextDigestAt(reader, slot);
  return slot;
}
