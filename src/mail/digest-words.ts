import { coverageLine } from './coverage-words.ts';
import type { DigestView, ReasonView } from './digest-view.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import { shortName } from './reasons.ts';

/** Topics whose "unsubscribe from this topic" stands in the foot. */
const TOPICS_IN_FOOT = 12;

/** What the head says of one digest. All of it clean text. */
export type HeadWords = { readonly heading: string; readonly count: string };

/** The heading (a daily digest's is its date, in the reader's language and zone), and under it how many of how many, and from where. */
export function headWords(view: DigestView, service: string): HeadWords {
  const { locale } = view;
  const { heading } = locale.phrases.digest;
  // It begins a line wherever it stands; French and Spanish write days in lower case.
  const date = capitalised(locale.date(view.slotAt, view.timezone), locale);
  const dated = heading[view.kind].includes('{date}');
  return {
    heading: format(heading[view.kind], { service, date }),
    count: [dated ? '' : date, coverageLine(locale, { ...view, shown: view.papers.length })]
      .filter((part) => part !== '')
      .join(' · '),
  };
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

/** A topic the reader follows, with its name as it came. */
export type Followed = { readonly kind: string; readonly value: string; readonly name: string };

/** The topics behind this digest, each once. */
export function topicsOf(view: DigestView): readonly Followed[] {
  const topics = new Map<string, Followed>();
  for (const { reasons } of view.papers)
    for (const reason of reasons)
      if (reason.type === 'follow')
        topics.set(`${reason.topic.kind} ${reason.topic.value}`, {
          ...reason.topic,
          name: shortName(reason.name),
        });
  return [...topics.values()].slice(0, TOPICS_IN_FOOT);
}

/** Some papers under a heading; the heading is empty when the digest is not grouped. */
export type Section = { readonly heading: string; readonly papers: DigestView['papers'] };

/** One section without a heading, or one per strongest topic, in the order of each one's best paper. */
export function sectionsOf(view: DigestView): readonly Section[] {
  if (!view.sections) return [{ heading: '', papers: view.papers }];
  const sections = Map.groupBy(view.papers, ({ reasons }) => sectionName(reasons, view.locale));
  return [...sections].map(([heading, papers]) => ({ heading, papers }));
}

function sectionName(reasons: readonly ReasonView[], { phrases: { digest } }: Locale): string {
  const followed = reasons.find((reason) => reason.type === 'follow');
  if (followed) return shortName(followed.name);
  return reasons.some((reason) => reason.type === 'trending') ? digest.sectionTrending : digest.sectionOther;
}
