import type { EncodedParts } from './assemble.ts';
import { createCache } from './cache.ts';
import { createFragments, type Fragment, type Fragments } from './digest-fragments.ts';
import { digestShell, type Shell } from './digest-shell.ts';
import type { DigestView, PaperBlock, PaperView } from './digest-view.ts';
import { headWords, notesOf, sectionsOf, topicsOf } from './digest-words.ts';
import { encodeHtml, escapeHtml } from './encode-html.ts';
import type { Locale } from './languages.ts';
import { paperBlock } from './paper-block.ts';
import type { Sender } from './sender.ts';
import { type Block, finishHtml, htmlFiller, type SlotFiller, textFiller, writeBlock } from './slots.ts';
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
  /** True when the operator counts opened mails or followed links: the mails then say so. */
  readonly tracked?: boolean;
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
  const layOut = (view: DigestView): LaidOut => ({ ...head(view), ...layOutPapers(view, fragments), view });
  return {
    block: (paper, locale, images) => paperBlock(paper, locale, images, papers),
    write: (view) => {
      const laid = layOut(view);
      const shell = shellOf(view, true);
      const { html, shown } = writeHtml(laid, shell, fragments, LARGEST_HTML);
      return { subject: laid.subject, html, text: writeText(laid, shell, fragments, shown) };
    },
    page: (view) =>
      writeHtml(layOut(view), shellOf(view, false), fragments, Number.POSITIVE_INFINITY).html.join(''),
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
  readonly view: DigestView;
  readonly sections: readonly {
    readonly heading: Fragment | null;
    readonly papers: readonly LaidOutPaper[];
  }[];
  readonly unfollow: Fragment;
};
type LaidOutPaper = { readonly block: PaperBlock; readonly reasons: Fragment; readonly mute: Block };

function layOutPapers(view: DigestView, fragments: Fragments): Pick<LaidOut, 'sections' | 'unfollow'> {
  const { locale } = view;
  const sections = sectionsOf(view).map(({ heading, papers }) => ({
    heading: heading === '' ? null : fragments.section(heading),
    papers: papers.map(({ block, reasons }) => ({
      block,
      reasons: fragments.reasons(reasons, locale),
      mute: fragments.mute(reasons, block, locale),
    })),
  }));
  return { sections, unfollow: fragments.unfollow(topicsOf(view), locale) };
}

/** Readers in one zone at one hour share their head, and those with the same first papers their subject. */
function createHeadCache(sender: Sender, fragments: Fragments): (view: DigestView) => Head {
  const subjects = createCache<Pick<Head, 'subject' | 'title' | 'preview'>>(HEADS_KEPT);
  const heads = createCache<Pick<Head, 'heading' | 'count'>>(HEADS_KEPT);
  return (view) => {
    const { kind, locale, papers, candidates, coverage } = view;
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
    const head = heads(`${locale.language} ${kind} ${papers.length} ${candidates} ${when} ${from}`, () => {
      const { heading, count } = headWords(view, sender.name);
      return { heading: fragments.line(heading), count: fragments.line(count) };
    });
    return { ...subject, ...head };
  };
}

function writeHtml(laid: LaidOut, shell: Shell, fragments: Fragments, limit: number) {
  const { view } = laid;
  const filler = htmlFiller(view.links, view.editionDate);
  const papers: string[] = [];
  const shown = writePapers(laid, filler, limit, papers);
  const fields: Record<string, Block> = {
    subject: laid.title,
    preview: laid.preview,
    heading: laid.heading.html,
    count: laid.count.html,
    papers,
    notes: notesOf(view, shown).flatMap((note) => fragments.note(note, view.locale).html),
    unfollow: laid.unfollow.html,
  };
  const html: string[] = [];
  writeBlock(shell.html, fields, filler, html);
  return { html, shown };
}

/** Writes papers while they fit into `limit` octets, at least one; answers how many. */
function writePapers({ sections }: LaidOut, filler: SlotFiller, limit: number, out: string[]): number {
  let octets = 0;
  let shown = 0;
  for (const { heading, papers } of sections) {
    for (const [index, { block, reasons, mute }] of papers.entries()) {
      octets += block.octets;
      if (octets > limit && shown > 0) return shown;
      if (heading && index === 0) writeBlock(heading.html, {}, filler, out);
      writeBlock(block.html, { reasons: reasons.html, mute }, filler, out);
      shown += 1;
    }
  }
  return shown;
}

function writeText(laid: LaidOut, shell: Shell, fragments: Fragments, shown: number): string[] {
  const { view } = laid;
  const filler = textFiller(view.links, view.editionDate);
  const papers: string[] = [];
  let number = 0;
  for (const section of laid.sections) {
    if (section.heading && number < shown) writeBlock(section.heading.text, {}, filler, papers);
    for (const { block, reasons } of section.papers.slice(0, shown - number)) {
      number += 1;
      // A soft break behind the number: the block was encoded as if it began a line.
      writeBlock(
        block.text,
        { number: [`${`${number}.`.padEnd(4)}=\r\n`], reasons: reasons.text },
        filler,
        papers,
      );
    }
  }
  const fields: Record<string, Block> = {
    heading: laid.heading.text,
    count: laid.count.text,
    papers,
    notes: notesOf(view, shown).flatMap((note) => fragments.note(note, view.locale).text),
    unfollow: laid.unfollow.text,
  };
  const text: string[] = [];
  writeBlock(shell.text, fields, filler, text);
  return text;
}
