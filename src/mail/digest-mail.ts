import { type EncodedParts } from './assemble.ts';
import { digestShell, type Shell } from './digest-shell.ts';
import type { DigestView, PaperBlock, PaperView, ReasonView } from './digest-view.ts';
import { encodeHtml, escapeHtml } from './encode-html.ts';
import { quotedPrintable, wrap } from './encode-text.ts';
import { type Locale } from './languages.ts';
import { paperBlock } from './paper-block.ts';
import { format } from './phrases.ts';
import { encodedReasonsText, muteTopic, reasonsHtml, shortName } from './reasons.ts';
import type { Sender } from './sender.ts';
import { type Block, finishHtml, htmlUrl, type SlotFiller, textUrl, writeBlock } from './slots.ts';
import { digestSubject, previewText } from './subject.ts';
import { fill, sectionOf } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Octets of HTML after which no further paper is added: Gmail clips a mail near 102 KB. */
export const LARGEST_HTML = 80_000;
const INDENT = '    ';
const CHIP =
  '<span class="chip" style="display:inline-block;background:#f4efe9;color:#4a443d;border-radius:9px;padding:1px 9px;margin:0 6px 4px 0;font-size:13px">';

/** A digest's subject and encoded parts. */
export type DigestParts = EncodedParts & { readonly subject: string };

/** Writes digests out of encoded blocks. */
export type DigestWriter = {
  /** Encodes a paper once for many digests. */
  block(paper: PaperView, locale: Locale, images: boolean): PaperBlock;
  /** One digest: joins blocks, fills the reader's links in. */
  write(view: DigestView): DigestParts;
  /** The same digest as an HTML document for the web, from the same blocks. UTF-8, all of it ASCII. */
  page(view: DigestView): string;
};

/** @param dependencies.templates of `loadTemplates('digest')`. */
export function createDigestWriter(dependencies: {
  readonly sender: Sender;
  readonly templates: MessageTemplates;
  readonly tracked?: boolean;
}): DigestWriter {
  const { templates } = dependencies;
  const paperTemplates = {
    html: sectionOf(templates.html, 'paper'),
    text: sectionOf(templates.text, 'paper'),
  };
  const sections = { html: sectionOf(templates.html, 'section'), text: sectionOf(templates.text, 'section') };
  const shells = new Map<string, Shell>();
  const shellOf = (view: DigestView, mail: boolean): Shell => {
    const key = `${view.locale.language} ${view.kind} ${mail}`;
    let shell = shells.get(key);
    if (!shell)
      shells.set(key, (shell = digestShell({ ...dependencies, kind: view.kind, locale: view.locale, mail })));
    return shell;
  };
  const reasonBlocks = createReasonCache();
  const context = { shellOf, reasonBlocks, sections };
  return {
    block: (paper, locale, images) => paperBlock(paper, locale, images, paperTemplates),
    write: (view) => writeParts(view, context),
    page: (view) => writeHtml(view, context, false).html,
  };
}

type Context = {
  readonly shellOf: (view: DigestView, mail: boolean) => Shell;
  readonly reasonBlocks: ReasonCache;
  readonly sections: Pick<MessageTemplates, 'html' | 'text'>;
};

function writeParts(view: DigestView, context: Context): DigestParts {
  const { html, subject, shown } = writeHtml(view, context, true);
  return { subject, html, text: writeText(view, context, shown) };
}

function writeHtml(view: DigestView, context: Context, mail: boolean) {
  const { locale } = view;
  const filler: SlotFiller = { links: view.links, editionDate: view.editionDate, encodeUrl: htmlUrl };
  const subject = digestSubject(view);
  const limit = mail ? LARGEST_HTML : Number.POSITIVE_INFINITY;
  const { out: papers, shown } = writePapers(view, context, filler, limit);
  const fields: Record<string, Block> = {
    subject: [escapeHtml(subject)],
    preview: finishHtml([encodeHtml(previewText(view))]),
    dateline: finishHtml([encodeHtml(locale.date(view.slotAt, view.timezone))]),
    count: finishHtml([encodeHtml(countLine(view))]),
    papers,
    notes: finishHtml(
      noteLines(view, shown).map((note) => `<p style="margin:0 0 8px">${encodeHtml(note)}</p>\n`),
    ),
    unfollow: unfollowHtml(view),
  };
  const out: string[] = [];
  writeBlock(context.shellOf(view, mail).html, fields, filler, out);
  return { html: out.join(''), subject, shown };
}

/** Writes papers while they fit. */
function writePapers(view: DigestView, context: Context, filler: SlotFiller, limit: number) {
  const out: string[] = [];
  let octets = 0;
  let shown = 0;
  for (const { heading, papers } of sectionsOf(view)) {
    if (heading !== '' && octets < limit) writeBlock(sectionHtml(heading, context), {}, filler, out);
    for (const { block, reasons } of papers) {
      const start = out.length;
      const fields = {
        reasons: context.reasonBlocks(reasons, view.locale).html,
        mute: muteHtml(reasons, block, view.locale),
      };
      writeBlock(block.html, fields, filler, out);
      for (let index = start; index < out.length; index++) octets += (out[index] as string).length;
      if (octets > limit) {
        out.length = start;
        return { out, shown };
      }
      shown += 1;
    }
  }
  return { out, shown };
}

function writeText(view: DigestView, context: Context, shown: number): string {
  const filler: SlotFiller = { links: view.links, editionDate: view.editionDate, encodeUrl: textUrl };
  const { locale } = view;
  const papers: string[] = [];
  let number = 0;
  for (const section of sectionsOf(view)) {
    if (section.heading !== '' && number < shown)
      writeBlock(sectionText(section.heading, context), {}, filler, papers);
    for (const { block, reasons } of section.papers.slice(0, shown - number)) {
      number += 1;
      const fields = {
        number: [`${`${number}. `.padEnd(4)}=\r\n`],
        reasons: context.reasonBlocks(reasons, locale).text,
      };
      writeBlock(block.text, fields, filler, papers);
    }
  }
  const dateline = `${locale.date(view.slotAt, view.timezone)}\n${countLine(view)}`;
  const notes = noteLines(view, shown)
    .map((note) => `${wrap(note)}\n`)
    .join('');
  const fields: Record<string, Block> = {
    dateline: [quotedPrintable(dateline)],
    papers,
    notes: [quotedPrintable(notes)],
    unfollow: unfollowText(view),
  };
  const out: string[] = [];
  writeBlock(context.shellOf(view, true).text, fields, filler, out);
  return out.join('');
}

function sectionHtml(name: string, { sections }: Context): Block {
  return finishHtml(fill(sections.html, { name }, { escape: encodeHtml }));
}

function sectionText(name: string, { sections }: Context): Block {
  return fill<never>(sections.text, { name }, { escape: (text) => text }).map((text) =>
    quotedPrintable(text as string),
  );
}

type Section = { readonly heading: string; readonly papers: DigestView['papers'] };

/** One section without a heading, or one per strongest reason, in the order of its best paper. */
function sectionsOf(view: DigestView): readonly Section[] {
  if (!view.sections) return [{ heading: '', papers: view.papers }];
  const sections = Map.groupBy(view.papers, ({ reasons }) => sectionName(reasons, view.locale));
  return [...sections].map(([heading, papers]) => ({ heading, papers }));
}

function sectionName(reasons: readonly ReasonView[], { phrases: { digest } }: Locale): string {
  const followed = reasons.find((reason) => reason.type === 'follow');
  if (followed) return shortName(followed.name);
  return reasons.some((reason) => reason.type === 'trending') ? digest.sectionTrending : digest.sectionOther;
}

function countLine(view: DigestView): string {
  const { locale, coverage } = view;
  const { digest } = locale.phrases;
  const shown = view.papers.length;
  const values = { shown: locale.number(shown), candidates: locale.number(view.candidates) };
  const lines = [`${format(locale.plural(digest.count, view.candidates), values)}.`];
  if (coverage && coverage.sources.length > 0)
    lines.push(format(digest.coverage, { sources: locale.list(coverage.sources) }));
  if (coverage && coverage.late.length > 0)
    lines.push(format(digest.late, { sources: locale.list(coverage.late) }));
  return lines.join(' ');
}

function noteLines(view: DigestView, shown: number): string[] {
  const { digest } = view.locale.phrases;
  const rest = view.papers.length - shown;
  return [
    rest > 0 ? format(digest.longer, { count: view.locale.number(rest) }) : '',
    view.withdrawn > 0 ? digest.withdrawn : '',
  ].filter((note) => note !== '');
}

type Followed = { readonly kind: string; readonly value: string; readonly name: string };

/** The topics behind this digest, each once. */
function topicsOf(view: DigestView): readonly Followed[] {
  const topics = new Map<string, Followed>();
  for (const { reasons } of view.papers)
    for (const reason of reasons)
      if (reason.type === 'follow')
        topics.set(`${reason.topic.kind} ${reason.topic.value}`, {
          ...reason.topic,
          name: shortName(reason.name),
        });
  return [...topics.values()].slice(0, 12);
}

function unfollowHtml(view: DigestView): Block {
  const topics = topicsOf(view);
  if (topics.length === 0) return [];
  const label = encodeHtml(view.locale.phrases.foot.unfollow);
  return finishHtml([
    `<p style="margin:0 0 8px">${label}:\n`,
    ...topics.flatMap(({ name, ...topic }, index) => [
      `${index > 0 ? ' &#183;\n' : ''}<a href="`,
      { type: 'topic', action: 'unfollow', ...topic } as const,
      `"\nstyle="color:#6b655e">${encodeHtml(name)}</a>`,
    ]),
    '</p>\n',
  ]);
}

function unfollowText(view: DigestView): Block {
  const label = view.locale.phrases.foot.unfollow;
  return topicsOf(view).flatMap(({ name, ...topic }) => [
    quotedPrintable(`${label}: ${name}: `),
    { type: 'topic', action: 'unfollow', ...topic } as const,
    '\r\n',
  ]);
}

function muteHtml(reasons: readonly ReasonView[], block: PaperBlock, locale: Locale): Block {
  const topic = muteTopic(reasons, block);
  if (!topic) return [];
  const label = encodeHtml(format(locale.phrases.digest.actions.mute, { name: topic.name }));
  return finishHtml([
    '<a href="',
    { type: 'topic', action: 'mute', kind: topic.kind, value: topic.value },
    `"\nstyle="color:#6b655e">${label}</a> &#183;\n`,
  ]);
}

type ReasonCache = (
  reasons: readonly ReasonView[],
  locale: Locale,
) => { readonly html: Block; readonly text: Block };

/** Reasons repeat from reader to reader: encoded once per language, at most 10,000 sets kept. */
function createReasonCache(): ReasonCache {
  const known = new Map<string, { html: Block; text: Block }>();
  return (reasons, locale) => {
    const key = `${locale.language} ${JSON.stringify(reasons)}`;
    const hit = known.get(key);
    if (hit) return hit;
    if (known.size >= 10_000) known.clear();
    const made = {
      html: finishHtml([reasonsHtml(reasons, locale, (inner) => `${CHIP}${inner}</span>`)]),
      text: [encodedReasonsText(reasons, locale, INDENT)],
    };
    known.set(key, made);
    return made;
  };
}
