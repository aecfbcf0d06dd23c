import type { EncodedParts } from './assemble.ts';
import { createFragments, type Fragments } from './digest-fragments.ts';
import { digestShell, type Shell } from './digest-shell.ts';
import type { DigestView, PaperBlock, PaperView } from './digest-view.ts';
import { headWords, notesOf, sectionsOf, topicsOf } from './digest-words.ts';
import { encodeHtml, escapeHtml } from './encode-html.ts';
import type { Locale } from './languages.ts';
import { paperBlock } from './paper-block.ts';
import type { Sender } from './sender.ts';
import { type Block, finishHtml, htmlUrl, type SlotFiller, textUrl, writeBlock } from './slots.ts';
import { digestSubject, previewText } from './subject.ts';
import { sectionOf } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Octets of HTML after which no further paper is added: Gmail clips a mail near 102 KB. */
export const LARGEST_HTML = 80_000;

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
  return {
    block: (paper, locale, images) => paperBlock(paper, locale, images, papers),
    write: (view) => {
      const subject = digestSubject(view);
      const { html, shown } = writeHtml({
        view,
        subject,
        shell: shellOf(view, true),
        fragments,
        sender,
        limit: LARGEST_HTML,
      });
      const text = writeText({ view, shown, shell: shellOf(view, true), fragments, sender });
      return { subject, html, text };
    },
    page: (view) => {
      const subject = digestSubject(view);
      const limit = Number.POSITIVE_INFINITY;
      return writeHtml({ view, subject, shell: shellOf(view, false), fragments, sender, limit }).html;
    },
  };
}

type Writing = {
  readonly view: DigestView;
  readonly shell: Shell;
  readonly fragments: Fragments;
  readonly sender: Sender;
};

function writeHtml(writing: Writing & { readonly subject: string; readonly limit: number }) {
  const { view, shell, fragments, sender, subject, limit } = writing;
  const filler: SlotFiller = { links: view.links, editionDate: view.editionDate, encodeUrl: htmlUrl };
  const papers: string[] = [];
  const shown = writePapers({ view, fragments, filler, limit }, papers);
  const { heading, count } = headWords(view, sender.name);
  const fields: Record<string, Block> = {
    subject: [escapeHtml(subject)],
    preview: finishHtml([encodeHtml(previewText(view))]),
    heading: fragments.line(heading).html,
    count: fragments.line(count).html,
    papers,
    notes: notesOf(view, shown).flatMap((note) => fragments.note(note, view.locale).html),
    unfollow: fragments.unfollow(topicsOf(view), view.locale).html,
  };
  const out: string[] = [];
  writeBlock(shell.html, fields, filler, out);
  return { html: out.join(''), shown };
}

type PaperWriting = Pick<Writing, 'view' | 'fragments'> & {
  readonly filler: SlotFiller;
  readonly limit: number;
};

/** Writes papers while they fit into `limit` octets, at least one; answers how many. */
function writePapers({ view, fragments, filler, limit }: PaperWriting, out: string[]): number {
  let octets = 0;
  let shown = 0;
  for (const { heading, papers } of sectionsOf(view)) {
    const before = out.length;
    if (heading !== '') writeBlock(fragments.section(heading).html, {}, filler, out);
    for (const [index, { block, reasons }] of papers.entries()) {
      const start = out.length;
      const fields = {
        reasons: fragments.reasons(reasons, view.locale).html,
        mute: fragments.mute(reasons, block, view.locale),
      };
      writeBlock(block.html, fields, filler, out);
      for (let at = start; at < out.length; at++) octets += (out[at] as string).length;
      if (octets > limit && shown > 0) {
        // A section's heading without a paper under it goes too.
        out.length = index === 0 ? before : start;
        return shown;
      }
      shown += 1;
    }
  }
  return shown;
}

function writeText({ view, shown, shell, fragments, sender }: Writing & { readonly shown: number }): string {
  const filler: SlotFiller = { links: view.links, editionDate: view.editionDate, encodeUrl: textUrl };
  const papers: string[] = [];
  let number = 0;
  for (const { heading, papers: inSection } of sectionsOf(view)) {
    if (heading !== '' && number < shown) writeBlock(fragments.section(heading).text, {}, filler, papers);
    for (const { block, reasons } of inSection.slice(0, shown - number)) {
      number += 1;
      // A soft break behind the number: the block was encoded as if it began a line.
      const fields = {
        number: [`${`${number}.`.padEnd(4)}=\r\n`],
        reasons: fragments.reasons(reasons, view.locale).text,
      };
      writeBlock(block.text, fields, filler, papers);
    }
  }
  const { heading, count } = headWords(view, sender.name);
  const fields: Record<string, Block> = {
    heading: fragments.line(heading).text,
    count: fragments.line(count).text,
    papers,
    notes: notesOf(view, shown).flatMap((note) => fragments.note(note, view.locale).text),
    unfollow: fragments.unfollow(topicsOf(view), view.locale).text,
  };
  const out: string[] = [];
  writeBlock(shell.text, fields, filler, out);
  return out.join('');
}
