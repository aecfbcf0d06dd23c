import { DOUBLE_STRUCK, MATH_SYMBOLS, SUBSCRIPTS, SUPERSCRIPTS } from './tex-tables.ts';

const TOKEN =
  /\s+|\\math(?:bb|cal|rm|bf|sf|it|tt|frak)\s*\{([^{}\\]+)\}|\\(?:text|mbox|operatorname)(?:rm|it|bf|tt)?\s*\{([^{}\\$]*)\}|\\([a-zA-Z]+|.)|([\^_])(?:\{([^{}]*)\}|(\\[a-zA-Z]+|[^\s\\{}]))|[^\\{}^_~&#$]/gu;

/** A formula on one line, or null where it cannot be written so: every token has to be known. */
export function mathToUnicode(formula: string): string | null {
  // Longer words in a formula are words between two dollar signs, not variables.
  if (/(?<![\\a-zA-Z])[a-zA-Z]{4,}/.test(formula.replace(/\\[a-zA-Z]+\s*\{[^{}]*\}|[_^]\{[^{}]*\}/g, '')))
    return null;
  let out = '';
  let at = 0;
  for (const match of formula.matchAll(TOKEN)) {
    if (match.index !== at) return null;
    at += match[0].length;
    const piece = tokenToUnicode(match);
    if (piece === null) return null;
    out += piece;
  }
  return at === formula.length ? out.trim() : null;
}

function tokenToUnicode(match: RegExpExecArray): string | null {
  const [whole, alphabet, text, command, position, braced, single] = match;
  if (alphabet !== undefined)
    return whole.startsWith('\\mathbb') ? (DOUBLE_STRUCK[alphabet] ?? null) : alphabet;
  if (text !== undefined) return text;
  if (command !== undefined) return MATH_SYMBOLS[command] ?? null;
  if (position !== undefined) return scriptToken(position, braced ?? single ?? '');
  return whole;
}

function scriptToken(position: string, content: string): string | null {
  if (position === '^') {
    if (content === '\\circ') return '°';
    if (content === '\\prime' || content === "'") return '′';
    if (content === '*' || content === '\\ast' || content === '\\star') return '*';
    if (content === '+' || content === '-') return SUPERSCRIPTS[content] ?? null;
  }
  return script(content, position === '^' ? SUPERSCRIPTS : SUBSCRIPTS);
}

/** Raised or lowered text, or null when a character of it has no such form. */
export function script(content: string, table: Readonly<Record<string, string>>): string | null {
  const plain = content.replace(/^\\(?:mathrm|text|rm)\s*\{([^{}]*)\}$/, '$1').trim();
  if (plain === '') return null;
  let out = '';
  for (const char of plain) {
    const changed = table[char];
    if (changed === undefined) return null;
    out += changed;
  }
  return out;
}
