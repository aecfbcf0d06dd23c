import type { EncodedParts } from './assemble.ts';
import { createCache } from './cache.ts';
import { type Chunks, chunkOf } from './chunk.ts';
import { type Channel, createFragments, createSectionWriter } from './digest-fragments.ts';
import { createHeads, type Head } from './digest-head.ts';
import { createLayout, type Layout, type ShownPaper } from './digest-layout.ts';
import { digestShell, type Shell, type ShellField } from './digest-shell.ts';
import type { DigestView, PaperBlock, PaperField, PaperView } from './digest-view.ts';
import { INDENT } from './encode-text.ts';
import type { Locale } from './languages.ts';
import { openToken, type ReaderLinks } from './links.ts';
import { createOctetWriter, type OctetWriter, type Part } from './octet-writer.ts';
import { paperBlock } from './paper-block.ts';
import type { Sender } from './sender.ts';
import { createEncoders } from './slots.ts';
import { sectionOf } from './template.ts';
import type { MessageTemplates } from './templates.ts';
import { createUnfollowLine } from './topic-links.ts';

/** Octets of papers after which no further one is added; the rest of the HTML takes 8,000. Gmail clips a mail near 102 KB. */
export const LARGEST_HTML = 70_000;

/** Editions whose encoded parts are kept: time zones make two or three current at once. */
const EDITIONS_KEPT = 4;

const OPEN_ONE_CLICK = openToken('one-click');

/** A digest's subject and encoded parts. */
export type DigestParts = EncodedParts & { readonly subject: string };

/** For whom a paper is encoded. */
export type BlockFor = {
  readonly editionDate: string;
  readonly locale: Locale;
  /** With its thumbnail. */
  readonly images: boolean;
};

/** Writes digests out of encoded blocks. */
export type DigestWriter = {
  /** The reader's URL of List-Unsubscribe (RFC 8058). */
  oneClick(view: Pick<DigestView, 'tokens'>): string;
  /** Encodes a paper once for many digests of an edition. */
  block(paper: PaperView, options: BlockFor): PaperBlock;
  /** One digest: finds its encoded parts, for `assembleMessage` to put together. */
  write(view: DigestView): DigestParts;
  /** The same digest, whole, as an HTML document for the web. */
  page(view: DigestView): string;
};

/** What a {@link DigestWriter} needs. */
export type DigestWriterDependencies = {
  readonly sender: Sender;
  /** Of `loadTemplates('digest')`. */
  readonly templates: MessageTemplates;
  /** Open links, see `openToken`. */
  readonly links: ReaderLinks;
};

/** Creates a {@link DigestWriter}. One per process: it keeps what it encoded. */
export function createDigestWriter(dependencies: DigestWriterDependencies): DigestWriter {
  const { oneClick } = dependencies.links;
  const editions = createCache<EditionWriter>(EDITIONS_KEPT);
  const editionOf = (date: string) => editions(date, () => createEditionWriter(dependencies, date));
  return {
    oneClick: ({ tokens }) => oneClick.replace(OPEN_ONE_CLICK, tokens['one-click']),
    block: (paper, options) => editionOf(options.editionDate).block(paper, options),
    write: (view) => editionOf(view.editionDate).write(view),
    page: (view) => editionOf(view.editionDate).page(view),
  };
}

type EditionWriter = Omit<DigestWriter, 'oneClick'>;

/** Everything that is kept encoded goes with its edition. */
function createEditionWriter(dependencies: DigestWriterDependencies, editionDate: string): EditionWriter {
  const { templates, sender, links } = dependencies;
  const encoders = createEncoders(links, editionDate);
  const sections = createSectionWriter(templates, encoders);
  const fragments = createFragments(sections, encoders);
  const head = createHeads(sender.name, fragments, encoders);
  const layOut = createLayout(sections, fragments, templates);
  const unfollowLine = createUnfollowLine(sections, templates);
  const paperTemplates = {
    html: sectionOf(templates.html, 'paper'),
    text: sectionOf(templates.text, 'paper'),
  };
  const shells = new Map<string, Shell>();
  const shellOf = ({ kind, locale }: DigestView, mail: boolean): Shell => {
    const key = `${locale.language} ${kind} ${mail}`;
    let shell = shells.get(key);
    if (!shell) shells.set(key, (shell = digestShell({ ...dependencies, encoders, kind, locale, mail })));
    return shell;
  };
  const writeField = (name: ShellField, channel: Channel, digest: Encoded, out: OctetWriter) => {
    switch (name) {
      case 'subject':
        return out.chunks(digest.head.title);
      case 'preview':
        return out.chunks(digest.head.preview);
      case 'heading':
        return out.chunks(digest.head.heading[channel]);
      case 'count':
        return out.chunks(digest.head.count[channel]);
      case 'papers':
        return writePapers(channel, digest.layout, out);
      case 'notes':
        for (const note of digest.layout.notes) out.chunks(note[channel]);
        return;
      case 'unfollow':
        return unfollowLine(out, channel, digest.layout.topics, digest.locale);
    }
  };
  const part =
    (channel: Channel, shell: Shell, digest: Encoded): Part =>
    (out) => {
      for (const piece of shell[channel]) {
        if (typeof piece !== 'string') out.chunk(piece);
        else writeField(piece, channel, digest, out);
      }
    };
  const encoded = (view: DigestView, limit: number): Encoded => ({
    head: head(view),
    layout: layOut(view, limit),
    locale: view.locale,
  });
  return {
    block: (paper, options) => paperBlock(paper, { ...options, encoders, templates: paperTemplates }),
    write: (view) => {
      const digest = encoded(view, LARGEST_HTML);
      const shell = shellOf(view, true);
      return {
        subject: digest.head.subject,
        html: part('html', shell, digest),
        text: part('text', shell, digest),
        tokens: view.tokens,
      };
    },
    page: (view) => {
      const html = part('html', shellOf(view, false), encoded(view, Number.POSITIVE_INFINITY));
      return createOctetWriter()(html, view.tokens).toString('latin1');
    },
  };
}

/** A digest with all its encoded parts found, before they are written for HTML and for text. */
type Encoded = { readonly head: Head; readonly layout: Layout; readonly locale: Locale };

function writePapers(channel: Channel, { sections }: Layout, out: OctetWriter): void {
  let number = 0;
  for (const { heading, papers } of sections) {
    if (heading) out.chunks(heading[channel]);
    for (const paper of papers) {
      number += 1;
      for (const piece of paper.block[channel]) {
        if (typeof piece !== 'string') out.chunk(piece);
        else out.chunks(paperField(piece, channel, paper, number));
      }
    }
  }
}

function paperField(name: PaperField, channel: Channel, { why }: ShownPaper, number: number): Chunks {
  switch (name) {
    case 'reasons':
      return why.reasons[channel];
    case 'mute':
      return why.mute;
    case 'number':
      return numberLine(number);
  }
}

const numberLines: Chunks[] = [];

/** A paper's number in a text part, with a soft break behind it: the block was encoded as if it began a line. */
function numberLine(number: number): Chunks {
  return (numberLines[number] ??= [chunkOf(`${`${number}.`.padEnd(INDENT.length)}=\r\n`)]);
}
