/** A stretch without a place to break is cut after this many octets, far below the 998 of RFC 5322 §2.1.1. */
const LONGEST_RUN = 400;

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text as HTML in US-ASCII, safe in element content and in quoted attribute values alike: `& < > " '` and everything
 * beyond ASCII become character references. The input is one line of clean text (see clean-text.ts).
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']|[^\x20-\x7e]/gu, (char) => NAMED[char] ?? `&#${char.codePointAt(0)};`);
}

/**
 * As {@link escapeHtml}, for element content: a run longer than {@link LONGEST_RUN} octets gets `<wbr>` with the line break
 * inside the tag, where it is no white space of the text.
 */
export function encodeHtml(text: string): string {
  const escaped = escapeHtml(text);
  if (escaped.length < LONGEST_RUN) return escaped;
  return escaped.replace(/[^ ]{400,}/g, breakRun);
}

function breakRun(run: string): string {
  const units = run.match(/&[^;]+;|[^&]/g) ?? [];
  let out = '';
  let length = 0;
  for (const unit of units) {
    if (length + unit.length > LONGEST_RUN) {
      out += '<wbr\n>';
      length = 0;
    }
    out += unit;
    length += unit.length;
  }
  return out;
}

/**
 * Folds markup to lines of less than `limit` octets by turning a space into a line break; HTML reads both alike, in text and
 * between attributes. Lines never begin with `.` (dot-stuffing), `-` (a MIME boundary) or `From ` (mbox).
 * A stretch without any space stays whole: the encoders above keep those short.
 */
export function foldHtml(html: string, limit = 250): string {
  return html
    .split('\n')
    .flatMap((line) => foldLine(line.trim(), limit))
    .filter((line) => line !== '')
    .map(guardLineStart)
    .join('\n');
}

function foldLine(line: string, limit: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > limit) {
    const before = rest.lastIndexOf(' ', limit);
    const at = before > 0 ? before : rest.indexOf(' ', limit);
    if (at < 0) break;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  lines.push(rest);
  return lines;
}

/** White space at the start of a line means nothing in HTML, in CSS or between attributes, so it can stand guard. */
function guardLineStart(line: string): string {
  return /^(?:\.|--|From )/.test(line) ? ` ${line}` : line;
}

/** Longest URL that is put into a mail, in octets once escaped: with what stands before it on its line, it stays below 998. */
export const LONGEST_URL = 700;

/**
 * A URL of outside origin as a safe absolute one in ASCII, or null: only http and https, no user or password in it, not too long.
 * Still to be escaped for where it goes ({@link escapeHtml}).
 */
export function safeUrl(url: string | null | undefined): string | null {
  if (!url || !URL.canParse(url.trim())) return null;
  const parsed = new URL(url.trim());
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return null;
  if (parsed.username !== '' || parsed.password !== '' || parsed.hostname === '') return null;
  const href = parsed.href.replace(/[^\x21-\x7e]|["'<>\\^`{|}]/gu, encodeURIComponent).replaceAll("'", '%27');
  return escapeHtml(href).length <= LONGEST_URL ? href : null;
}
