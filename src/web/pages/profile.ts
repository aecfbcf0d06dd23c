import type { Preferences } from '#src/subscribers/subscriber.ts';
import { topicName } from '#src/topics/catalogue.ts';
import type { CatalogueTopic, Follow } from '#src/topics/topic.ts';
import type { Ties } from '../forms/preferences-form.ts';
import { displayText } from './show.ts';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const list = new Intl.ListFormat('en', { type: 'conjunction' });
/** Names in a sentence before "and … more". */
const NAMED = 8;

/** What a reader gets, in plain words: "Up to 10 papers every day at 07:00 (Europe/Berlin), about …". */
export function profileInWords(
  preferences: Preferences,
  ties: Ties,
  catalogue: readonly CatalogueTopic[],
): string[] {
  const names = (some: readonly Follow[]) => listed(some.map((tie) => nameOf(tie, catalogue)));
  const hour = `${String(preferences.hour).padStart(2, '0')}:00`;
  const about = ties.follows.length > 0 ? `about ${names(ties.follows)}` : 'whatever trends';
  const sentences = [
    `Up to ${preferences.papersPerDigest} papers ${often(preferences)} at ${hour} (${preferences.timezone}): ${about}.`,
  ];
  if (ties.mutes.length > 0) sentences.push(`Never ${names(ties.mutes)}.`);
  if (ties.follows.length > 0) sentences.push(dialInWords(preferences));
  if (preferences.reminders) sentences.push('Papers put aside with “not now” come again, once.');
  return sentences;
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return list.format(more > 1 ? [...names.slice(0, NAMED), `${more} more`] : names);
}

/** A tie in words: "papers like arxiv:2606.01234". */
export function nameOf(tie: Follow, catalogue: readonly CatalogueTopic[]): string {
  const entry = tie.kind === 'topic' ? catalogue.find(({ slug }) => slug === tie.value) : undefined;
  if (entry) return entry.name;
  switch (tie.kind) {
    case 'query':
      return `“${displayText(tie.value)}”`;
    case 'paper':
      return `papers like ${tie.value}`;
    case 'trending':
      return 'what trends';
    case 'topic':
    case 'category':
    case 'author':
    case 'organisation':
      return displayText(topicName(tie));
  }
}

function often({ frequency, weekdays }: Preferences): string {
  const days = DAYS.filter((_, day) => weekdays & (1 << day));
  switch (frequency) {
    case 'weekly':
      return `once a week, on ${days[0] ?? 'Monday'},`;
    case 'weekdays':
      return weekdays === 127
        ? 'from Monday to Friday'
        : `on ${list.format(DAYS.slice(0, 5).filter((day) => days.includes(day)))}`;
    case 'daily':
      return weekdays === 127 ? 'every day' : `on ${list.format(days)}`;
  }
}

function dialInWords({ dial, fillWithTrending }: Preferences): string {
  const taste =
    dial <= 20
      ? 'What matches you counts, trend hardly'
      : dial >= 70
        ? 'What trends counts most'
        : 'Both your taste and the trend count';
  return `${taste}; when few papers match, ${fillWithTrending ? 'trending ones fill up' : 'the mail is short'}.`;
}
