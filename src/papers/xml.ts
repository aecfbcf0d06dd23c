import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';

/** An element with what is in it; names without their prefix. */
export type XmlElement = {
  readonly name: string;
  /** By local name. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
};

/** An element asked for, or why the document can't be read further. */
export type XmlItem =
  | { readonly type: 'element'; readonly element: XmlElement }
  | { readonly type: 'fault'; readonly line: number; readonly message: string };

type Open = { name: string; attributes: Record<string, string>; children: XmlElement[]; text: string };

const MAX_DEPTH = 64;
const MAX_TEXT = 1_000_000;
const MAX_CHILDREN = 20_000;
const CHUNK = 64 * 1024;
/** What is no `Char` of XML 1.0, section 2.2: controls other than tab and line ends. */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}(?<![\u007f-\u009f])|[\ufffe\uffff]/gu;

/** A reference that means nothing here, such as HTML's `&eacute;`: it stays as it is written, and no paper is lost. */
const BAD_REFERENCE =
  /(?:undefined entity|malformed character entity|disallowed character in entity name|empty entity name)\.$/;

/** Why a document is refused though it may be well-formed. */
class Refused extends Error {}

/**
 * The elements of these local names, in order, each when it is complete; those within one of them belong to it. The
 * rest of the document is checked and forgotten, so memory is bounded by the largest element.
 *
 * Entity-safe: only the five predefined entities and character references are known (others stay text), a document type declaration is
 * refused, and so are nesting beyond 64, a text beyond a million characters and an element with more than 20,000
 * children. The text must be UTF-8. Characters that XML 1.0 forbids (arXiv's OAI has had some) become U+FFFD.
 * A document that breaks gives the elements before the break, then one fault.
 */
export function* readXml(body: Buffer, names: readonly string[]): Iterable<XmlItem> {
  const text = decodeXml(body);
  if (text === undefined) return yield { type: 'fault', line: 1, message: 'not UTF-8 text' };
  const reader = createReader(new Set(names));
  for (let start = 0; start < text.length && !reader.fault(); start += CHUNK) {
    reader.write(text.slice(start, start + CHUNK));
    yield* reader.take();
  }
  reader.close();
  yield* reader.take();
  const fault = reader.fault();
  if (fault) yield { type: 'fault', ...fault };
}

function decodeXml(body: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return withoutBareAmpersands(text.replace(FORBIDDEN, '\ufffd'));
  } catch {
    return undefined;
  }
}

/** An `&` that begins no reference stands for itself, as people write it (`R&D`); within CDATA it does anyway. */
function withoutBareAmpersands(text: string): string {
  const escaped = (part: string) => part.replace(/&(?!#?\w{1,32};)/g, '&amp;');
  let whole = '';
  for (let at = 0; ; ) {
    const open = text.indexOf('<![CDATA[', at);
    const end = open < 0 ? -1 : text.indexOf(']]>', open);
    if (end < 0) return whole + escaped(text.slice(at));
    whole += escaped(text.slice(at, open)) + text.slice(open, end);
    at = end;
  }
}

function createReader(names: ReadonlySet<string>) {
  const parser = new SaxesParser({ xmlns: true });
  const found: XmlItem[] = [];
  // Open elements of the one being collected; empty outside.
  const open: Open[] = [];
  let depth = 0;
  let fault: { line: number; message: string } | undefined;

  const refuse = (message: string): never => {
    throw new Refused(message);
  };
  parser.on('error', (error) => {
    if (!BAD_REFERENCE.test(error.message)) throw error;
  });
  parser.on('doctype', () => refuse('a document type declaration is refused'));
  parser.on('opentag', (tag) => {
    depth += 1;
    if (depth > MAX_DEPTH) refuse(`nesting deeper than ${MAX_DEPTH}`);
    if (open.length > 0 || names.has(tag.local)) open.push(opened(tag));
  });
  const collect = (text: string) => {
    const last = open.at(-1);
    if (!last) return;
    if (last.text.length + text.length > MAX_TEXT) refuse(`a text longer than ${MAX_TEXT} characters`);
    last.text += text;
  };
  parser.on('text', collect);
  parser.on('cdata', collect);
  parser.on('closetag', () => {
    depth -= 1;
    const element = open.pop();
    const parent = open.at(-1);
    if (element && !parent) found.push({ type: 'element', element });
    else if (element && parent && parent.children.push(element) > MAX_CHILDREN)
      refuse(`an element with more than ${MAX_CHILDREN} children`);
  });
  const guarded = (step: () => void) => {
    if (fault) return;
    try {
      step();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      fault = { line: parser.line, message: message.replace(/^\d+:\d+: /, '') };
    }
  };
  return {
    write: (text: string) => guarded(() => parser.write(text)),
    close: () => guarded(() => parser.close()),
    take: () => found.splice(0),
    fault: () => fault,
  };
}

function opened(tag: SaxesTagNS): Open {
  const attributes = Object.values(tag.attributes).map(({ local, value }: SaxesAttributeNS) => [
    local,
    value,
  ]);
  return { name: tag.local, attributes: Object.fromEntries(attributes), children: [], text: '' };
}

/** The first child of a name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The children of a name. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The text of the first child of a name, undefined when there is none or it is blank. */
export function textIn(element: XmlElement, name: string): string | undefined {
  const text = childOf(element, name)?.text;
  return text === undefined || text.trim() === '' ? undefined : text;
}
