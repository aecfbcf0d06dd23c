import type { IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { EditionIndex } from '#src/digests/candidates.ts';
import { type Reminder, withReminders } from '#src/digests/reminders.ts';
import type { ReasonView } from '#src/mail/digest-view.ts';
import type { Profile } from '#src/matching/types.ts';
import type { Feedback } from '#src/subscribers/feedback-store.ts';
import { localDate } from '#src/subscribers/schedule.ts';
import type { Preferences } from '#src/subscribers/subscriber.ts';
import type { Follow } from '#src/topics/topic.ts';
import type { ListedPaper } from './dependencies.ts';

/** What today's digest would be. */
export type PreviewResult = {
  readonly date: IsoDate;
  readonly papers: readonly (ListedPaper & { readonly reasons: readonly ReasonView[] })[];
  readonly candidates: number;
};

/** What the preview reads from. */
export type PreviewDependencies = {
  /** The candidates of an edition, indexed and kept by version (digests/candidates.ts). */
  readonly editionIndex: (on: IsoDate, at: Date) => Promise<EditionIndex>;
  /** Papers that digests have brought to the reader since a date. */
  readonly seenPapers: (id: SubscriberId, since: IsoDate) => Promise<ReadonlySet<PaperId>>;
  /** Papers put aside that come again. */
  readonly remindersOf: (
    readers: readonly { readonly id: SubscriberId; readonly reminders: boolean }[],
    profiles: ReadonlyMap<SubscriberId, Profile>,
  ) => Promise<Map<SubscriberId, Reminder[]>>;
  readonly feedbackOf: (id: SubscriberId) => Promise<Feedback>;
  /** Papers in the order asked for. */
  readonly papersByIds: (ids: readonly PaperId[]) => Promise<ListedPaper[]>;
  readonly now: () => Date;
};

/** Choices that are not saved yet. */
export type PreviewChoices = { readonly preferences: Preferences; readonly follows: readonly Follow[] };

/** Shows what today's digest would hold; see {@link createPreview}. */
export type Preview = ReturnType<typeof createPreview>;

/**
 * Ranks today's candidates for choices that are not saved yet, by the very index and rules of the planner. Papers of
 * today's own digest count as unseen: the preview of saved choices is that digest, whether it went out or not.
 */
export function createPreview(deps: PreviewDependencies) {
  return {
    /** Builds the index of today in the background, so that the first change of the form finds it ready. */
    warm(timezone: string): Promise<unknown> {
      return deps.editionIndex(localDate(timezone, deps.now()), deps.now());
    },

    async preview(id: SubscriberId, choices: PreviewChoices): Promise<PreviewResult> {
      const date = localDate(choices.preferences.timezone, deps.now());
      const edition = await deps.editionIndex(date, deps.now());
      const feedback = await deps.feedbackOf(id);
      const seen = await deps.seenPapers(id, edition.since);
      const judged = [...feedback.likes, ...feedback.dislikes, ...feedback.notNow];
      const profile = profileOf(choices, feedback);
      const { reminders } = choices.preferences;
      const again = (await deps.remindersOf([{ id, reminders }], new Map([[id, profile]]))).get(id) ?? [];
      const matching = edition.index.choose(profile, new Set([...seen, ...judged]));
      const chosen = withReminders(matching, again, profile.limit);
      const papers = await deps.papersByIds(chosen.map((choice) => choice.paper));
      const reasons = new Map(chosen.map((choice) => [choice.paper, choice.reasons]));
      return {
        date,
        papers: papers.map((paper) => ({ ...paper, reasons: reasons.get(paper.id) ?? [] })),
        candidates: edition.ids.length,
      };
    },
  };
}

/** The profile as the planner makes it (digests/profiles.ts): who follows nothing wants what trends. */
function profileOf({ preferences, follows }: PreviewChoices, feedback: Feedback): Profile {
  const wanted = follows.filter((follow) => follow.weight > 0);
  return {
    follows: wanted,
    mutes: follows.filter((follow) => follow.weight < 0),
    likes: feedback.likes,
    dislikes: feedback.dislikes,
    dial: preferences.dial,
    fillWithTrending: preferences.fillWithTrending || wanted.length === 0,
    limit: preferences.papersPerDigest,
  };
}
