import type { EncodedParts } from './assemble.ts';
import { createCache } from './cache.ts';
import { createFragments, type Fragment, type Fragments, INDENT, type Why } from './digest-fragments.ts';
import { digestShell, type Shell } from './digest-shell.ts';
import type { DigestView, PaperBlock, PaperView } from './digest-view.ts';
import { headWords, notesOf, sectionsOf, topicsOf } from './digest-words.ts';
import { encodeHtml, escapeHtml } from './encode-html.ts';
import type { Locale } from './languages.ts';
import { paperBlock } from './paper-block.ts';
import type { Sender } from './sender.ts';
import {
  type Block,
  type Field,
  finishHtml,
  htmlFiller,
  type SlotFiller,
  textFiller,
  writeBlock,
} from './slots.ts';
import { digestSubject, previewText } from './subject.ts';
import { sectionOf } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Octets of papers after which no further one is added; the rest of the HTML takes 8,000. Gmail clips a mail near 102 KB. */
export const LARGEST_HTML = 70_000;

/** Heads and subjects kept encoded. */
const HEADS_KEPT = 5_000;

/** A digest's subject and encoded parts. */
export type DigestParts = EncodedParts & { readonly subject: string };

/** Writes digests out of encoded blocks. */
export type DigestWriter = {
  /** Encodes a paper once for many digests. */
  block(paper: PaperView, locale: Locale, images: boolean): PaperBlock;
  /** One digest: joins blocks and fills the reader's links in. */
  write(view: DigestView): DigestParts;
  /** The same digest, whole, as an HTML document for the web. */
  page(view: DigestView): string;
};

/** What a {@link DigestWriter} needs. */
export type DigestWriterDependencies = {
  readonly sender: Sender;
  /** Of `loadTemplates('digest')`. */
  readonly templates: MessageTemplates;
};

/** Creates a {@link DigestWriter}. One per process: it keeps what it encoded. */
export function createDigestWriter(dependencies: DigestWriterDependencies): DigestWriter {
  const { templates, sender } = dependencies;
  const papers = { html: sectionOf(templates.html, 'paper'), text: sectionOf(templates.text, 'paper') };
  const shells = new Map<string, Shell>();
  const shellOf = ({ kind, locale }: DigestView, mail: boolean): Shell => {
    const key = `${locale.language} ${kind} ${mail}`;
    let shell = shells.get(key);
    if (!shell) shells.set(key, (shell = digestShell({ ...dependencies, kind, locale, mail })));
    return shell;
  };
  const fragments = createFragments(templates);
  const head = createHeadCache(sender, fragments);
  const layOut = (view: DigestView, limit: number): LaidOut => ({
    ...head(view),
    ...layOutPapers(view, fragments, limit),
  });
  return {
    block: (paper, locale, images) => paperBlock(paper, locale, images, papers),
    write: (view) => {
      const laid = layOut(view, LARGEST_HTML);
      const shell = shellOf(view, true);
      return {
        subject: laid.subject,
        html: writePart('html', laid, shell, htmlFiller(view.links, view.editionDate)),
        text: writePart('text', laid, shell, textFiller(view.links, view.editionDate)),
      };
    },
    page: (view) => {
      const laid = layOut(view, Number.POSITIVE_INFINITY);
      return writePart('html', laid, shellOf(view, false), htmlFiller(view.links, view.editionDate)).join('');
    },
  };
}

/** What the head of a digest says, encoded. */
type Head = {
  readonly subject: string;
  readonly title: Block;
  readonly preview: Block;
  readonly heading: Fragment;
  readonly count: Fragment;
};

/** A digest with all its parts found, before they are joined for HTML and for text. */
type LaidOut = Head & {
  readonly sections: readonly LaidOutSection[];
  readonly notes: readonly Fragment[];
  readonly unfollow: Fragment;
};
type LaidOutSection = {
  readonly heading: Fragment | null;
  readonly papers: readonly { readonly block: PaperBlock; readonly why: Why }[];
};

function layOutPapers(view: DigestView, fragments: Fragments, limit: number): Omit<LaidOut, keyof Head> {
  const { locale } = view;
  const all = sectionsOf(view).map(({ heading, papers }) => ({
    heading: heading === '' ? null : fragments.section(heading),
    papers: papers.map(({ block, reasons }) => ({ block, why: fragments.why(reasons, block, locale) })),
  }));
  const { sections, shown } = fitting(all, limit);
  return {
    sections,
    notes: notesOf(view, shown).map((note) => fragments.note(note, locale)),
    unfollow: fragments.unfollow(topicsOf(view), locale),
  };
}

/** Readers in one zone at one hour share their head, and those with the same first papers their subject. */
function createHeadCache(sender: Sender, fragments: Fragments): (view: DigestView) => Head {
  const subjects = createCache<Pick<Head, 'subject' | 'title' | 'preview'>>(HEADS_KEPT);
  const heads = createCache<Pick<Head, 'heading' | 'count'>>(HEADS_KEPT);
  return (view) => {
    const { kind, locale, papers, candidates, had, coverage } = view;
    const titles = papers.slice(0, 3).map(({ block }) => `\0${block.title}\0${block.authors.join()}`);
    const subject = subjects(`${locale.language} ${kind} ${papers.length}${titles.join('')}`, () => {
      const text = digestSubject(view);
      return {
        subject: text,
        title: finishHtml([escapeHtml(text)]),
        preview: finishHtml([encodeHtml(previewText(view))]),
      };
    });
    const when = `${view.timezone} ${view.slotAt.getTime()}`;
    const from = coverage ? JSON.stringify(coverage) : '';
    const head = heads(
      `${locale.language} ${kind} ${papers.length} ${candidates} ${had} ${when} ${from}`,
      () => {
        const { heading, count } = headWords(view, sender.name);
        return { heading: fragments.line(heading), count: fragments.line(count) };
      },
    );
    return { ...subject, ...head };
  };
}

/** Papers while they fit into `limit` octets of HTML, at least one. A section without any goes whole. */
function fitting(
  sections: readonly LaidOutSection[],
  limit: number,
): { sections: LaidOutSection[]; shown: number } {
  let octets = 0;
  let shown = 0;
  const kept = sections.map((section) => {
    const papers = section.papers.filter(({ block }) => {
      octets += block.octets;
      const fits = octets <= limit || shown === 0;
      if (fits) shown += 1;
      return fits;
    });
    return { ...section, papers };
  });
  return { sections: kept.filter(({ papers }) => papers.length > 0), shown };
}

type Channel = 'html' | 'text';

/** Joins one part out of its encoded pieces. */
function writePart(channel: Channel, laid: LaidOut, shell: Shell, filler: SlotFiller): string[] {
  const out: string[] = [];
  const fields: Record<string, Field> = {
    subject: laid.title,
    preview: laid.preview,
    heading: laid.heading[channel],
    count: laid.count[channel],
    papers: (into) => writePapers(channel, laid.sections, filler, into),
    notes: laid.notes.flatMap((note) => note[channel]),
    unfollow: laid.unfollow[channel],
  };
  writeBlock(shell[channel], fields, filler, out);
  return out;
}

function writePapers(
  channel: Channel,
  sections: readonly LaidOutSection[],
  filler: SlotFiller,
  out: string[],
): void {
  let number = 0;
  for (const { heading, papers } of sections) {
    if (heading) writeBlock(heading[channel], {}, filler, out);
    for (const { block, why } of papers) {
      number += 1;
      const fields = { reasons: why.reasons[channel], mute: why.mute, number: numberLine(number) };
      writeBlock(block[channel], fields, filler, out);
    }
  }
}

/** A paper's number in a text part, with a soft break behind it: the block was encoded as if it began a line. */
function numberLine(number: number): Block {
  return [`${`${number}.`.padEnd(INDENT.length)}=\r\n`];
}
