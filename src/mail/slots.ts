import { type Chunk, type Chunks, chunkOf, joinChunks } from './chunk.ts';
import { foldHtml, LONGEST_URL } from './encode-html.ts';
import { quotedPrintable, quotedPrintableUrl } from './encode-text.ts';
import type { ReaderLinks, Verdict } from './links.ts';
import { mergePieces, type Pieces } from './template.ts';

/** What a template leaves open: fields by name, and links, which are closed when the text is encoded, but for their tokens. */
export type Slot<Field extends string = never> = FieldSlot<Field> | LinkSlot;

/** Something of this message. */
export type FieldSlot<Field extends string> = { readonly type: 'field'; readonly name: Field };

/** A link of the reader. */
export type LinkSlot =
  | { readonly type: 'link'; readonly to: LinkName }
  | { readonly type: 'feedback'; readonly paper: number; readonly verdict: Verdict }
  | {
      readonly type: 'topic';
      readonly kind: string;
      readonly value: string;
      readonly action: 'mute' | 'unfollow';
    }
  /** The paper's place on the page of the digest. */
  | { readonly type: 'place'; readonly paper: number };

/** The reader's links that need no more than a name. */
export type LinkName = 'preferences' | 'frequency' | 'unsubscribe' | 'pause' | 'view';

/** Encoded text: finished octets, and fields by name. Without fields it is {@link Chunks}. */
export type Block<Field extends string = never> = readonly (Chunk | Field)[];

/** A `field` slot. */
export function field<Field extends string>(name: Field): FieldSlot<Field> {
  return { type: 'field', name };
}

/** A block with its fields filled. */
export function filledBlock<Field extends string>(
  block: Block<Field>,
  fields: Readonly<Record<Field, Chunks>>,
): Chunks {
  return block.flatMap((piece) => (typeof piece === 'string' ? fields[piece] : [piece]));
}

/** A block with some of its fields filled, and what then stands side by side joined: fewer pieces to copy into each message. */
export function joinedBlock<Field extends string, Filled extends Field>(
  block: Block<Field>,
  fields: Readonly<Record<Filled, Chunks>>,
): Block<Exclude<Field, Filled>> {
  const out: (Chunk | Exclude<Field, Filled>)[] = [];
  let run: Chunk[] = [];
  const endRun = () => {
    if (run.length > 0) out.push(joinChunks(run));
    run = [];
  };
  for (const piece of block) {
    if (typeof piece !== 'string') run.push(piece);
    else if (piece in fields) run.push(...fields[piece as Filled]);
    else {
      endRun();
      out.push(piece as Exclude<Field, Filled>);
    }
  }
  endRun();
  return out;
}

/** Encodes filled templates for one of the two bodies. */
export type Encoders = {
  /** Folds the HTML between the slots. It is ASCII already, see encode-html.ts. */
  html<Field extends string = never>(pieces: Pieces<Slot<Field>>): Block<Field>;
  /** Quoted-printable of the text between the slots. */
  text<Field extends string = never>(pieces: Pieces<Slot<Field>>): Block<Field>;
};

/** @param links open ones, see `openToken`: their tokens are put into each message */
export function createEncoders(links: ReaderLinks, editionDate: string): Encoders {
  return {
    html: (pieces) =>
      encode(pieces, foldedHtml, (slot) => urlOf(slot, links, editionDate).replaceAll('&', '&amp;')),
    text: (pieces) =>
      encode(pieces, quotedPrintable, (slot) =>
        slot.type === 'place'
          ? // Behind a soft break, so that the page's URL looks the same for every paper.
            `${quotedPrintableUrl(links.viewDigest(editionDate))}=\r\n#p${slot.paper}`
          : quotedPrintableUrl(urlOf(slot, links, editionDate)),
      ),
  };
}

function encode<Field extends string>(
  pieces: Pieces<Slot<Field>>,
  encodeText: (text: string) => string,
  encodeLink: (slot: LinkSlot) => string,
): Block<Field> {
  const encoded = pieces.map((piece) => {
    if (typeof piece === 'string') return encodeText(piece);
    return piece.type === 'field' ? piece : encodeLink(piece);
  });
  return mergePieces(encoded).map((piece) => (typeof piece === 'string' ? chunkOf(piece) : piece.name));
}

function urlOf(slot: LinkSlot, links: ReaderLinks, editionDate: string): string {
  switch (slot.type) {
    case 'link':
      return namedLink(slot.to, links, editionDate);
    case 'feedback':
      return links.feedback(slot.paper, slot.verdict);
    case 'topic': {
      const url = links.topic(slot.kind, slot.value, slot.action);
      // A very long query makes a URL too long for a line of mail: its topic can be found in the preferences too.
      return url.length <= LONGEST_URL ? url : links.preferences;
    }
    case 'place':
      return `${links.viewDigest(editionDate)}#p${slot.paper}`;
  }
}

function namedLink(to: LinkName, links: ReaderLinks, editionDate: string): string {
  if (to === 'view') return links.viewDigest(editionDate);
  return to === 'frequency' ? `${links.preferences}#frequency` : links[to];
}

/** A piece of HTML in short lines with CRLF ends. Folding trims; the white space (or its absence) around a slot stays. */
export function foldedHtml(html: string): string {
  const folded = foldHtml(html);
  const before = /^\s/.test(html) ? '\n' : '';
  const after = /\s$/.test(html) && folded !== '' ? '\n' : '';
  return (before + folded + after).replaceAll('\n', '\r\n');
}
