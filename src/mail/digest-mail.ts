import type { EncodedParts } from './assemble.ts';
import { createCache } from './cache.ts';
import type { Chunk } from './chunk.ts';
import { chunkedContent, rawOf } from './content.ts';
import { createFragments, createSectionWriter } from './digest-fragments.ts';
import { createHeads } from './digest-head.ts';
import { createLayout } from './digest-layout.ts';
import { digestPart, type EncodedDigest } from './digest-part.ts';
import { digestShell, type Shell } from './digest-shell.ts';
import type { DigestView, PaperBlock, PaperView } from './digest-view.ts';
import type { Locale } from './languages.ts';
import { openToken, type ReaderLinks } from './links.ts';
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
  // Through a buffer: what was cut out of a text with open tokens has two octets a character, and so would all that is joined to it.
  const around = dependencies.links.oneClick
    .split(OPEN_ONE_CLICK)
    .map((text) => Buffer.from(text).toString());
  const editions = createCache<EditionWriter>(EDITIONS_KEPT);
  const editionOf = (date: string) => editions(date, () => createEditionWriter(dependencies, date));
  return {
    oneClick: ({ tokens }) => around.join(tokens['one-click']),
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
  const fragments = createFragments(sections, encoders, templates);
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
  const encoded = (view: DigestView, limit: number): EncodedDigest => ({
    head: head(view),
    layout: layOut(view, limit),
    unfollow: unfollowLine,
    locale: view.locale,
  });
  return {
    block: (paper, options) => paperBlock(paper, { ...options, encoders, templates: paperTemplates }),
    write: (view) => {
      const digest = encoded(view, LARGEST_HTML);
      const shell = shellOf(view, true);
      return {
        subject: digest.head.subject,
        html: digestPart('html', shell, digest),
        text: digestPart('text', shell, digest),
        tokens: view.tokens,
      };
    },
    page: (view) => {
      const html: Chunk[] = [];
      digestPart('html', shellOf(view, false), encoded(view, Number.POSITIVE_INFINITY))(html);
      return rawOf({ content: chunkedContent('', html, view.tokens) }).toString('latin1');
    },
  };
}
