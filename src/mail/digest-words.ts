import { coverageLine } from './coverage-words.ts';
import type { DigestView, ReasonView } from './digest-view.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import { shortName } from './reasons.ts';

/** The heading; a daily digest's is its date, in the reader's language and zone. */
export function heading(view: DigestView, service: string): string {
  return format(view.locale.phrases.digest.heading[view.kind], { service, date: dateOf(view) });
}

/** The line under the heading: the date where that does not say it, how many of how many, and from where. */
export function countLine(view: DigestView): string {
  const { locale } = view;
  const dated = locale.phrases.digest.heading[view.kind].includes('{date}');
  const count = coverageLine(locale, { ...view, shown: view.papers.length });
  return dated ? count : `${dateOf(view)} · ${count}`;
}

/** It begins a line wherever it stands; French and Spanish write days in lower case. */
function dateOf({ locale, slotAt, timezone }: DigestView): string {
  return capitalised(locale.date(slotAt, timezone), locale);
}

function capitalised(text: string, { language }: Locale): string {
  const [first = ''] = text;
  return first.toLocaleUpperCase(language) + text.slice(first.length);
}

/** A remark at the foot; `page`: it leads to the digest's page. */
export type Note = { readonly text: string; readonly page: boolean };

/** @param shown papers that fitted into the mail */
export function notesOf(view: DigestView, shown: number): readonly Note[] {
  const { digest } = view.locale.phrases;
  const rest = view.papers.length - shown;
  const notes: Note[] = [];
  if (rest > 0) notes.push({ text: format(digest.longer, { count: view.locale.number(rest) }), page: true });
  if (view.withdrawn > 0) notes.push({ text: digest.withdrawn, page: false });
  return notes;
}

/** A topic the reader follows, with its name for display. */
export type Followed = { readonly kind: string; readonly value: string; readonly name: string };

/** The topics among a paper's reasons. */
export function followedOf(reasons: readonly ReasonView[]): readonly Followed[] {
  return reasons.flatMap((reason) =>
    reason.type === 'follow' ? [{ ...reason.topic, name: shortName(reason.name) }] : [],
  );
}

/** Under which heading a paper stands when a digest is grouped by topic: that of its strongest topic. */
export function sectionName(reasons: readonly ReasonView[], { phrases: { digest } }: Locale): string {
  const followed = reasons.find((reason) => reason.type === 'follow');
  if (followed) return shortName(followed.name);
  return reasons.some((reason) => reason.type === 'trending') ? digest.sectionTrending : digest.sectionOther;
}
