/** Indentation under a paper's number in text parts. */
export const INDENT = '    ';

/** Widest line of a text part, in columns. */
export const TEXT_WIDTH = 72;

// Wide and full-width East Asian characters and emoji take two columns (UAX #11, in broad strokes).
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{20000}-\u{3fffd}]/u;
const COMBINING = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a text takes in a terminal. */
export function columns(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += COMBINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/**
 * Wraps one paragraph to lines of at most {@link TEXT_WIDTH} columns, each behind `indent`. URLs and other words without a space stay
 * whole, apart from runs of wide characters, which break anywhere.
 */
export function wrap(text: string, indent = '', first = indent): string {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  let width = columns(first);
  for (const { word, glued } of words(text)) {
    const needed = columns(word) + (empty || glued ? 0 : 1);
    if (!empty && width + needed > TEXT_WIDTH) {
      lines.push(line);
      line = indent + word;
      width = columns(line);
    } else {
      line += (empty || glued ? '' : ' ') + word;
      width += needed;
    }
    empty = false;
  }
  lines.push(line);
  return lines.join('\n');
}

/** Words, with runs of wide characters taken apart; `glued`: no space before it. */
function* words(text: string): Generator<{ word: string; glued: boolean }> {
  for (const word of text.split(' ').filter((part) => part !== '')) {
    if (!WIDE.test(word)) {
      yield { word, glued: false };
      continue;
    }
    const parts = word.match(
      /(?:[\x21-\x7e]+|[^\x21-\x7e])[\p{Mn}\p{Me}\p{Cf}、。，．！？：；」』）】]*/gu,
    ) ?? [word];
    for (const [index, part] of parts.entries()) yield { word: part, glued: index > 0 };
  }
}

/** Longest line of quoted-printable, its soft break included (RFC 2045 §6.7, rule 5). */
const QP_LINE = 76;

/**
 * Quoted-printable (RFC 2045 §6.7) of UTF-8 text with `\n` line ends; CRLF comes out. `From ` and `.` at the start of a line are
 * encoded too, so neither mbox files nor SMTP have to change the octets. When the text does not end with a line end, the last
 * line is left open for what follows.
 */
export function quotedPrintable(text: string): string {
  return text.split('\n').map(encodeLine).join('\r\n');
}

function encodeLine(line: string): string {
  let out = '';
  let length = 0;
  for (const unit of encodedUnits(line)) {
    if (length + unit.length > QP_LINE - 1) {
      out += '=\r\n';
      length = 0;
    }
    // Only the start of an encoded line matters to mbox readers and to SMTP, and a soft break starts one too.
    const guarded = length === 0 && unit === '.' ? '=2E' : length === 0 && unit === 'F' ? '=46' : unit;
    out += guarded;
    length += guarded.length;
  }
  return out;
}

/** Units that must not be torn: one ASCII character, or all octets of one code point. */
function* encodedUnits(line: string): Generator<string> {
  const last = line.length - 1;
  for (let at = 0; at < line.length; ) {
    const char = String.fromCodePoint(line.codePointAt(at) as number);
    const plain =
      char.length === 1 && char >= ' ' && char <= '~' && char !== '=' && !(char === ' ' && at === last);
    yield plain ? char : encodeOctets(char);
    at += char.length;
  }
}

function encodeOctets(char: string): string {
  let out = '';
  for (const octet of Buffer.from(char, 'utf8'))
    out += `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  return out;
}

/**
 * An ASCII URL in quoted-printable that starts and ends a line of its own: begins with a soft break, so that it can be put behind any
 * finished line without counting columns; a line end must follow it.
 */
export function quotedPrintableUrl(url: string): string {
  const encoded = url.includes('=') ? url.replaceAll('=', '=3D') : url;
  let out = '';
  let at = 0;
  while (at < encoded.length) {
    let end = Math.min(at + QP_LINE - 1, encoded.length);
    // Do not tear an escape of three characters.
    if (end < encoded.length) {
      const escape = encoded.lastIndexOf('=', end - 1);
      if (escape > end - 3) end = escape;
    }
    const dotted = encoded[at] === '.';
    if (dotted) end = Math.min(end, at + QP_LINE - 3);
    out += `=\r\n${dotted ? '=2E' : ''}${encoded.slice(dotted ? at + 1 : at, end)}`;
    at = end;
  }
  return out;
}
