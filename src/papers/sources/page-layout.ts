/** A paper of a captured page. `line`: where its title stands, from 1. */
export type PageEntry = { readonly title: string; readonly abstract: string; readonly line: number };
/** A page as read: all of its papers, or where its layout stops being the known one. */
export type PageLayout =
  | { readonly type: 'page'; readonly entries: readonly PageEntry[] }
  | { readonly type: 'unknown-layout'; readonly line: number; readonly message: string };

type Line = { readonly text: string; readonly line: number };

const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)';
const WEEKDAY = '(?:(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,?\\s+)?';
const YEAR = '(?:,?\\s+\\d{4})?';
const DATE = `${WEEKDAY}(?:${MONTH}\\s+\\d{1,2}(?:st|nd|rd|th)?${YEAR}|\\d{1,2}\\s+${MONTH}${YEAR}|\\d{4}-\\d{2}-\\d{2})`;
const PERIOD = `(?:Week(?: of)?\\s+)?${DATE}\\s*[-–—]\\s*(?:${DATE}|\\d{1,2}${YEAR})`;
const WHEN = `(?:${PERIOD}|(?:Week of\\s+)?${DATE}|${MONTH}\\s+\\d{4}|(?:\\d{4}-)?W(?:eek )?\\d{1,2}${YEAR})`;

/** What follows a marker: the line's end, or (glued to it) the first title, which starts with no small Latin letter. */
const END = '(?=$|by\\s*@?AK|[^a-z\\s.,:;!?)’-])';
/** "Subscribe" may be glued to any first title, but is itself the start of some words. */
const SUBSCRIBE_END = '(?=$|(?!(?:rs?|d|s)\\b)[^\\s.,:;!?)’-])';

/** A line of the header. `own`: tells a Daily Papers page from any other text. */
type Marker = { readonly own: boolean; readonly pattern: RegExp };
const MARKERS: readonly Marker[] = [
  {
    own: true,
    pattern: new RegExp(`^[Gg]et trending papers in your (?:email )?inbox(?: once a day)?!?${END}`, 'u'),
  },
  { own: true, pattern: new RegExp(`^Daily Papers${END}`, 'u') },
  { own: true, pattern: new RegExp(`^by\\s*@?AK(?:\\s*and\\s*the\\s*research\\s*community)?${END}`, 'u') },
  { own: true, pattern: new RegExp(`^Subscribe${SUBSCRIBE_END}`, 'u') },
  { own: false, pattern: new RegExp(`^${WHEN}(?=$|\\p{Lu})`, 'u') },
  { own: false, pattern: /^new$/i },
];
/** How many lines a header can have, and how long those may be that are not known here (a menu's entries). */
const HEADER_LINES = 40;
const MENU_ENTRY = 60;

/**
 * Reads a captured Daily Papers page: a header, then titles and abstracts in turn, one line each, with or without
 * blank lines between them. The alternation is all there is to tell a title from an abstract, so every line must look
 * like what its place says; a page where one doesn't is refused as a whole, for nothing after it can be trusted.
 */
export function readPageLayout(text: string): PageLayout {
  const lines = contentLines(text);
  if (lines.length === 0) return refuse(1, 'the page is empty');
  const body = afterHeader(lines);
  if ('type' in body) return body;
  if (body.lines.length === 0) return refuse(lines.at(-1)?.line ?? 1, 'no papers after the header');
  return pairUp(body.lines);
}

const refuse = (line: number, message: string): PageLayout => ({ type: 'unknown-layout', line, message });

/** Lines that hold something, without the white space around it. */
function contentLines(text: string): Line[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((raw, index) => ({
      text: raw.replace(/^[\s\u200B\uFEFF]+|[\s\u200B\uFEFF]+$/g, ''),
      line: index + 1,
    }))
    .filter((line) => line.text !== '');
}

/**
 * The lines after the header, which ends with the last known marker before the first abstract. A marker fills its line,
 * or is glued to what follows (`SubscribeA First Title`): then the rest is a line of its own. Short lines between
 * markers, such as those of a menu, belong to the header.
 */
function afterHeader(lines: readonly Line[]): { lines: readonly Line[] } | PageLayout {
  const firstAbstract = lines.findIndex(({ text }) => looksLikeAbstract(text));
  const region = lines.slice(0, Math.min(HEADER_LINES, firstAbstract < 0 ? lines.length : firstAbstract));
  const parts = region.map(({ text }, index) => withoutMarkers(text, region.slice(0, index)));
  const last = parts.findLastIndex(({ markers }) => markers.length > 0);
  if (!parts.some(({ markers }) => markers.some(({ own }) => own)))
    return refuse(lines[0]?.line ?? 1, 'this is not the header of a Daily Papers page');
  const odd = region
    .slice(0, last)
    .find(({ text }, index) => parts[index]?.rest !== '' && text.length > MENU_ENTRY);
  if (odd) return refuse(odd.line, `expected a line of the header, found ${described(odd.text)}`);
  const rest = parts[last]?.rest ?? '';
  const glued = rest === '' ? [] : [{ text: rest, line: region[last]?.line ?? 1 }];
  return { lines: [...glued, ...lines.slice(last + 1)] };
}

/** The markers a line starts with, and what is glued to them. After a "Subscribe" of its own another one is a title's. */
function withoutMarkers(text: string, before: readonly Line[]): { markers: Marker[]; rest: string } {
  const markers: Marker[] = [];
  let rest = text;
  for (;;) {
    const marker = MARKERS.find(({ pattern }) => pattern.test(rest));
    const after = marker ? rest.replace(marker.pattern, '').trim() : rest;
    const isTitle = after !== '' && before.some((line) => marker?.pattern.exec(line.text)?.[0] === line.text);
    if (!marker || isTitle) return { markers, rest };
    markers.push(marker);
    rest = after;
  }
}

function pairUp(lines: readonly Line[]): PageLayout {
  const entries: PageEntry[] = [];
  for (let index = 0; index < lines.length; index += 2) {
    const title = lines[index] as Line;
    const abstract = lines[index + 1];
    if (!looksLikeTitle(title.text))
      return refuse(
        title.line,
        `expected a title, found ${described(title.text)}: a title or an abstract is missing before it`,
      );
    if (!abstract)
      return refuse(title.line, `the title ${quoted(title.text)} has no abstract: the page ends here`);
    if (!looksLikeAbstract(abstract.text))
      return refuse(
        abstract.line,
        `expected the abstract of ${quoted(title.text)}, found ${described(abstract.text)}`,
      );
    entries.push({ title: title.text, abstract: abstract.text, line: title.line });
  }
  return { type: 'page', entries };
}

const quoted = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
const described = (text: string) => `${text.length} characters, ${quoted(text)}`;

/*
 * Of 35,000 real papers (arXiv 2025, Hugging Face 2024-2025) no title is longer than 226 characters and none ends in
 * a full stop; 99.9 % of the abstracts have more than 400 characters and only one under 200 doesn't end a sentence.
 */
const SENTENCE_END = /[.!?…。]["'”’)\]]*$/;
const LINK_END = /https?:\/\/\S+$/;

function looksLikeTitle(text: string): boolean {
  return (
    text.length <= 160 || (text.length <= 300 && !/\.["'”’)\]]*$/.test(text) && sentenceBreaks(text) < 3)
  );
}

function looksLikeAbstract(text: string): boolean {
  return text.length >= 200 || (text.length >= 80 && (SENTENCE_END.test(text) || LINK_END.test(text)));
}

const sentenceBreaks = (text: string) => text.match(/[.!?]\s+\p{Lu}/gu)?.length ?? 0;
