/** Ends that look like the end of a sentence to Intl.Segmenter and are none. */
const ABBREVIATION =
  /\b(?:e\.g|i\.e|et al|cf|vs|w\.r\.t|resp|approx|Fig|Figs|Eq|Eqs|Sec|Ref|No|Dr|Prof|St)\.\s*$/u;

const segmenters = new Map<string, Intl.Segmenter>();

/**
 * The opening of a text: whole sentences while they fit into `limit` characters (UTF-16 units). Where those are
 * less than a third of it ("What is an agent?"), the next sentence is cut at a word and ends with "…". The words are the author's own: nothing is changed but the length.
 */
export function opening(text: string, limit: number, language: string): string {
  if (text.length <= limit) return text;
  let end = 0;
  for (const sentenceEnd of sentenceEnds(text, language)) {
    if (text.slice(0, sentenceEnd).trimEnd().length > limit) break;
    end = sentenceEnd;
  }
  return end > limit / 3 ? text.slice(0, end).trimEnd() : cutAtWord(text, limit);
}

function* sentenceEnds(text: string, language: string): Generator<number> {
  let segmenter = segmenters.get(language);
  if (!segmenter)
    segmenters.set(language, (segmenter = new Intl.Segmenter(language, { granularity: 'sentence' })));
  for (const { index, segment } of segmenter.segment(text)) {
    const end = index + segment.length;
    if (!ABBREVIATION.test(text.slice(Math.max(0, end - 12), end))) yield end;
  }
}

/** Cuts at the last space before `limit` (anywhere when there is none, never inside a character) and adds "…". */
export function cutAtWord(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const space = text.lastIndexOf(' ', limit - 1);
  const at = space > limit / 2 ? space : graphemeBefore(text, limit - 1);
  return `${text.slice(0, at).replace(/[\s,;:–—-]+$/u, '')}…`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function graphemeBefore(text: string, limit: number): number {
  const from = Math.max(0, limit - 64);
  let at = from;
  for (const { index } of graphemes.segment(text.slice(from, limit + 64))) {
    if (from + index > limit) break;
    at = from + index;
  }
  return at > 0 ? at : limit;
}
