import { mathToUnicode, script } from './tex-math.ts';
import { ACCENTS, LETTERS, SUBSCRIPTS, SUPERSCRIPTS, SYMBOLS } from './tex-tables.ts';

/**
 * Light TeX as Unicode where its meaning is certain: accents and letters (`Erd\H{o}s`), escaped signs (`50\%`), fonts (`\emph{x}`), formulas
 * that can be written on a line (`$\alpha$`, `10^{-3}`, `H_{2}O`), ``quotes''. What is uncertain stays as it is, formulas as a whole:
 * unknown commands (`\gpt`), prices (`$5 and $10`), quoted quotes (`\"word\"`).
 */
export function texToUnicode(text: string): string {
  if (!/[\\$^_`]/.test(text)) return text;
  const quoted = /\\"(?!\p{L}|\{|\\[ij])/u.test(text);
  let out = '';
  let at = 0;
  for (const match of text.matchAll(FORMULA)) {
    const [formula, bracketed, , dollared, marked] = match;
    out +=
      prose(text.slice(at, match.index), quoted) +
      (mathToUnicode(bracketed ?? dollared ?? marked ?? '') ?? formula);
    at = match.index + formula.length;
  }
  return out + prose(text.slice(at), quoted);
}

/** `$…$`, `$$…$$` and `\(…\)`. As in Pandoc, no space inside the dollars and no digit behind them: prices are no formulas.
 * What begins with a command or a sign is no price. */
const FORMULA =
  /\\\((.{1,200}?)\\\)|(?<![\\$])(\$\$?)(?![\s$])([^$]{1,200}?)(?<![\s\\])\2(?![\d$])|(?<![\\$])\$([\\^_<>≤≥≈×±∼+][^$]{0,200}?)(?<![\s\\])\$(?!\$)/g;

function prose(text: string, quoted: boolean): string {
  return [fonts, (part: string) => accents(part, quoted), letters, symbols, scripts, quotes, escapes].reduce(
    (done, step) => step(done),
    text,
  );
}

const FONTS = /\\(?:emph|text(?:it|bf|tt|sc|rm|sf|sl|up|normal)?|mbox|url|underline)\{([^{}\\$]*)\}/g;

function fonts(text: string): string {
  return text
    .replace(FONTS, '$1')
    .replace(/\\href\{[^{}]*\}\{([^{}\\$]*)\}/g, '$1')
    .replace(/\{\\(?:em|it|bf|tt|sc|rm|sl)\s+([^{}\\$]*)\}/g, '$1');
}

/** With braces anywhere: `{\"o}`, `\"{o}`, `\c{c}`, `\"{\i}`. Without: see {@link bareAccent}. */
function accents(text: string, quoted: boolean): string {
  return text
    .replace(/\{\\([`'^~=."])\{?(\\[ij]|\p{L})\}?\}/gu, accented)
    .replace(/\{\\([ucvHkrdb])(?:\s*\{(\\[ij]|\p{L})\}|\s+(\\[ij]|\p{L}))\}/gu, accented)
    .replace(/\\([`'^~=."ucvHkrdb])\s*\{(\\[ij]|\p{L})\}/gu, accented)
    .replace(/(\p{L})?\\([`'^~="])(\\[ij](?![a-zA-Z])|\p{L})(?=(\p{L})?)/gu, (...match) =>
      bareAccent(match, quoted),
    );
}

function accented(whole: string, command: string, braced?: string, spaced?: string): string {
  const letter = (braced ?? spaced ?? '').replace(/^\\/, '');
  const composed = (letter + ACCENTS[command]).normalize('NFC');
  return /^.$/u.test(composed) ? composed : whole;
}

/**
 * `Ust\"un` is an accent; `it\'s` is an apostrophe that somebody escaped, and `\"a word\"` is quoted: at the start of a word an accent is
 * certain only when no `\"` in the text closes a quotation.
 */
function bareAccent(match: readonly unknown[], quoted: boolean): string {
  const [whole, before = '', command, letter, after = ''] = match as [
    string,
    string?,
    string?,
    string?,
    string?,
  ];
  if (command === undefined || letter === undefined) return whole;
  const inWord = before !== '';
  if (command === '"' && quoted) return whole;
  if (command === "'" && inWord && after === '' && !/[aeiouyAEIOUY]/.test(letter)) return whole;
  const composed = accented('', command, letter);
  return composed === '' ? whole : before + composed;
}

/** `{\o}`, `\o{}`: only where braces say where the command ends. */
function letters(text: string): string {
  return text.replace(
    /\{\\([a-zA-Z]{1,2})\s*\}|\\([a-zA-Z]{1,2})\{\}/g,
    (whole, inside?: string, before?: string) => LETTERS[inside ?? before ?? ''] ?? whole,
  );
}

function symbols(text: string): string {
  return text.replace(
    /(?<![_^]\{?)\\([a-zA-Z]+)(?:\{\})?(?![a-zA-Z{])/g,
    (whole, name: string) => SYMBOLS[name] ?? whole,
  );
}

/** Outside of formulas: `10^{-3}`, `H_{2}O`, `10^5`. A bare `_1` may be part of a name and stays. */
function scripts(text: string): string {
  return text
    .replace(
      /(?<=[\p{L}\p{N})])\^\{([^{}]{1,12})\}/gu,
      (whole, raised: string) => script(raised, SUPERSCRIPTS) ?? whole,
    )
    .replace(
      /(?<=[\p{L}\p{N})])_\{([^{}]{1,12})\}/gu,
      (whole, lowered: string) => script(lowered, SUBSCRIPTS) ?? whole,
    )
    .replace(
      /(?<=\d)\^(-?\d)(?![\d.\p{L}])/gu,
      (whole, raised: string) => script(raised, SUPERSCRIPTS) ?? whole,
    );
}

function quotes(text: string): string {
  return text.replace(/``([^`']+(?:'[^`']+)*)''/g, '“$1”');
}

function escapes(text: string): string {
  return text.replace(/\\([%&#_$])/g, '$1');
}
