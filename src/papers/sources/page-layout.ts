/** A paper of a captured page. `line`: where its title stands, from 1. */
export type PageEntry = { readonly title: string; readonly abstract: string; readonly line: number };
/** A page as read: all of its papers, or where its layout stops being the known one. */
export type PageLayout =
  | { readonly type: 'page'; readonly entries: readonly PageEntry[] }
  | { readonly type: 'unknown-layout'; readonly line: number; readonly message: string };

type Line = { readonly text: string; readonly line: number };

const MONTH =
  'Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?';
const DAY = '(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,?\\s+';
const YEAR = '(?:,?\\s+\\d{4})?';

/** What follows a marker: the line's end, or (glued to it) the first title, which starts with no small Latin letter. */
const END = '(?=$|[^a-z\\s.,:;!?)’-])';
/** "Subscribe" may be glued to any first title, but is itself the start of some words. */
const SUBSCRIBE_END = '(?=$|(?!(?:rs?|d|s)\\b)[^\\s.,:;!?)’-])';

/** Lines of the header. `own`: tells a Daily Papers page from any other text. */
const MARKERS = [
  {
    own: true,
    pattern: new RegExp(`^Get trending papers in your (?:email )?inbox(?: once a day)?!?${END}`, 'iu'),
  },
  { own: true, pattern: new RegExp(`^Daily Papers${END}`, 'u') },
  { own: true, pattern: new RegExp(`^by\\s*@?AK(?:\\s*and\\s*the\\s*research\\s*community)?${END}`, 'u') },
  { own: true, pattern: new RegExp(`^Subscribe${SUBSCRIBE_END}`, 'u') },
  {
    own: false,
    pattern: new RegExp(
      `^(?:${DAY})?(?:(?:${MONTH})\\s+\\d{1,2}(?:st|nd|rd|th)?${YEAR}|\\d{1,2}\\s+(?:${MONTH})${YEAR}|\\d{4}-\\d{2}-\\d{2})(?=$|\\p{Lu})`,
      'u',
    ),
  },
  { own: false, pattern: /^new$/i },
];
/** How many lines a header can have: what comes later is content, whatever it looks like. */
const HEADER_LINES = 12;

/**
 * Reads a captured Daily Papers page: a header, then titles and abstracts in turn, one line each, with or without
 * blank lines between them. The alternation is all there is to tell a title from an abstract, so every line must look
 * like what its place says; a page where one doesn't is refused as a whole, for nothing after it can be trusted.
 */
export function readPageLayout(text: string): PageLayout {
  const lines = contentLines(text);
  if (lines.length === 0) return refuse(1, 'the page is empty');
  const body = afterHeader(lines);
  if (!body) return refuse(lines[0]?.line ?? 1, 'this is not the header of a Daily Papers page');
  if (body.length === 0) return refuse(lines.at(-1)?.line ?? 1, 'no papers after the header');
  return pairUp(body);
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
 * The lines after the header. A marker ends its line, or is glued to what follows (`SubscribeA First Title`): then
 * the rest is a line of its own. Each marker counts once: a second "Subscribe…" is a title.
 * @returns undefined when nothing of a Daily Papers header is found
 */
function afterHeader(lines: readonly Line[]): Line[] | undefined {
  const unused = new Set(MARKERS);
  const seen = new Set<(typeof MARKERS)[number]>();
  const queue = [...lines];
  for (let taken = 0; taken < HEADER_LINES && queue[0]; taken += 1) {
    const first = queue[0];
    const marker = [...unused].find(({ pattern }) => pattern.test(first.text));
    if (!marker) break;
    seen.add(marker);
    if (!isRepeatable(marker)) unused.delete(marker);
    const rest = first.text.replace(marker.pattern, '').trim();
    queue.splice(0, 1, ...(rest === '' ? [] : [{ text: rest, line: first.line }]));
  }
  return [...seen].some(({ own }) => own) ? queue : undefined;
}

/** The invitation is on some pages in two wordings. */
const isRepeatable = (marker: (typeof MARKERS)[number]) => marker === MARKERS[0];

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
