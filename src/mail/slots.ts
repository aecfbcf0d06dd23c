import { foldHtml, LONGEST_URL } from './encode-html.ts';
import { quotedPrintableUrl } from './encode-text.ts';
import type { ReaderLinks, Verdict } from './links.ts';
import { encodePieces, type Pieces } from './template.ts';

/** What stays open in an encoded block until it is put into one reader's message. */
export type Slot =
  /** Something of this message, by name. */
  | { readonly type: 'field'; readonly name: string }
  /** A link of the reader. */
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

/** An encoded block: finished ASCII text and slots. */
export type Block = Pieces<Slot>;

/** Gives the URL of a slot, escaped for the channel. */
export type SlotFiller = (slot: Exclude<Slot, { type: 'field' }>) => string;

/** A `field` slot. */
export function field(name: string): Slot {
  return { type: 'field', name };
}

/** What a field is filled with: a block, or something that writes finished text itself. */
export type Field = Block | ((out: string[]) => void);

/** Appends a block with its slots filled to `out`. @throws RangeError for a field without a value. */
export function writeBlock(
  block: Block,
  fields: Readonly<Record<string, Field>>,
  filler: SlotFiller,
  out: string[],
): void {
  for (const piece of block) {
    if (typeof piece === 'string') out.push(piece);
    else if (piece.type !== 'field') out.push(filler(piece));
    else {
      const value = fields[piece.name];
      if (value === undefined) throw new RangeError(`no value for the field ${piece.name}`);
      if (typeof value === 'function') value(out);
      else writeBlock(value, fields, filler, out);
    }
  }
}

/** URLs for attributes of an HTML part. */
export function htmlFiller(links: ReaderLinks, editionDate: string): SlotFiller {
  return (slot) => {
    // Made of a token and a number: nothing to escape.
    if (slot.type === 'feedback') return links.feedback(slot.paper, slot.verdict);
    const url = urlOf(slot, links, editionDate);
    return url.includes('&') ? url.replaceAll('&', '&amp;') : url;
  };
}

/** URLs for a quoted-printable text part, on lines of their own. */
export function textFiller(links: ReaderLinks, editionDate: string): SlotFiller {
  let page: string | undefined;
  return (slot) => {
    if (slot.type !== 'place') return quotedPrintableUrl(urlOf(slot, links, editionDate));
    // The same page for every paper: encoded once, the place on it behind a soft break.
    page ??= quotedPrintableUrl(links.viewDigest(editionDate));
    return `${page}=\r\n#p${slot.paper}`;
  };
}

function urlOf(slot: Exclude<Slot, { type: 'field' }>, links: ReaderLinks, editionDate: string): string {
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

/** Folds the finished HTML between the slots of a block and gives it CRLF line ends. */
export function finishHtml(block: Block): Block {
  return encodePieces(block, (html) => edges(html, foldHtml(html)).replaceAll('\n', '\r\n'));
}

/** Folding trims; the white space (or its absence) around a slot must stay. */
function edges(html: string, folded: string): string {
  const before = /^\s/.test(html) ? '\n' : '';
  const after = /\s$/.test(html) && folded !== '' ? '\n' : '';
  return before + folded + after;
}
