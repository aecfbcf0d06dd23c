import { createCache } from './cache.ts';
import type { Chunks } from './chunk.ts';
import type { Fragment, Fragments } from './digest-fragments.ts';
import type { DigestView } from './digest-view.ts';
import { countLine, heading } from './digest-words.ts';
import { escapeHtml } from './encode-html.ts';
import type { Encoders } from './slots.ts';
import { digestSubject, previewText } from './subject.ts';

/** What the head of a digest says, encoded. */
export type Head = {
  readonly subject: string;
  /** The subject, and the line that a mail client's list shows behind it, as HTML. */
  readonly title: Chunks;
  readonly preview: Chunks;
  readonly heading: Fragment;
  readonly count: Fragment;
};

/** Heads kept encoded, by each of their parts. */
const KEPT = 5_000;

/**
 * Creates the function that writes heads. Their parts are kept one by one, since each is shared by other readers: the subject by those with
 * the same first paper, the heading by those of a time zone.
 * @param service the sender's name
 */
export function createHeads(
  service: string,
  fragments: Fragments,
  encoders: Encoders,
): (view: DigestView) => Head {
  const subjects = createCache<Pick<Head, 'subject' | 'title'>>(KEPT);
  const previews = createCache<Chunks>(KEPT);
  const headings = createCache<Fragment>(KEPT);
  const counts = createCache<Fragment>(KEPT);
  const subjectOf = (view: DigestView) => {
    const subject = digestSubject(view);
    return { subject, title: encoders.html<never>([escapeHtml(subject)]) };
  };
  return (view) => {
    const { locale, kind, papers } = view;
    const start = `${locale.language} ${kind} ${papers.length}`;
    const when = `${view.timezone} ${view.slotAt.getTime()}`;
    const chosen = `${view.candidates} ${view.had} ${numberOf(view.coverage)}`;
    const [first, second, third] = papers;
    const { subject, title } = subjects(`${start} ${numberOf(first?.block)}`, () => subjectOf(view));
    // With one paper its authors are told, else what the next two are about.
    const previewed = papers.length === 1 ? first : second;
    const preview = `${start} ${numberOf(previewed?.block)} ${numberOf(third?.block)}`;
    return {
      subject,
      title,
      preview: previews(preview, () => fragments.preview(previewText(view))),
      heading: headings(`${start} ${when}`, () => fragments.line(heading(view, service))),
      count: counts(`${start} ${when} ${chosen}`, () => fragments.line(countLine(view))),
    };
  };
}

const numbers = new WeakMap<object, number>();
let numbered = 0;

/** Papers and coverage are the same objects for all readers of an edition; in a key their number is shorter than what they say. */
function numberOf(thing: object | null | undefined): number {
  if (!thing) return 0;
  let number = numbers.get(thing);
  if (number === undefined) numbers.set(thing, (number = numbered += 1));
  return number;
}
