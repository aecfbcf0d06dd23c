import { createCache } from './cache.ts';
import type { Chunks } from './chunk.ts';
import type { Fragment, Fragments } from './digest-fragments.ts';
import type { CoverageView, DigestView } from './digest-view.ts';
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
    const chosen = `${view.candidates} ${view.had} ${coverageKey(view.coverage)}`;
    return {
      ...subjects(`${start} ${papers[0]?.block.title}`, () => subjectOf(view)),
      preview: previews(`${start}${previewKey(view)}`, () => fragments.preview(previewText(view))),
      heading: headings(`${start} ${when}`, () => fragments.line(heading(view, service))),
      count: counts(`${start} ${when} ${chosen}`, () => fragments.line(countLine(view))),
    };
  };
}

function previewKey({ papers }: DigestView): string {
  if (papers.length === 1) return `\0${papers[0]?.block.authors.join('\0')}`;
  return `\0${papers[1]?.block.title}\0${papers[2]?.block.title}`;
}

const coverageKeys = new WeakMap<CoverageView, string>();

/** Readers of an edition share one coverage: it is put into a key once. */
function coverageKey(coverage: CoverageView | null): string {
  if (!coverage) return '';
  let key = coverageKeys.get(coverage);
  if (key === undefined) coverageKeys.set(coverage, (key = JSON.stringify(coverage)));
  return key;
}
