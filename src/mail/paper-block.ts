import { cleanText } from './clean-text.ts';
import type { PaperBlock, PaperView } from './digest-view.ts';
import { displayText, setApart } from './display-text.ts';
import { encodeHtml, escapeHtml, safeUrl } from './encode-html.ts';
import { INDENT, wrap } from './encode-text.ts';
import { cutAtWord, opening } from './excerpt.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import { type Encoders, field, type Slot } from './slots.ts';
import { fill, open, type Pieces, type Template, type Values } from './template.ts';

/** Authors named before "and n more". */
const AUTHORS_SHOWN = 3;
/** Longest title, in characters: the longest of the real data has 250. */
const LONGEST_TITLE = 400;
/** Longest opening of an abstract, in characters. */
export const ABSTRACT_LENGTH = 420;

/** What a paper is encoded for. */
export type PaperBlockOptions = {
  readonly locale: Locale;
  /** With its thumbnail. */
  readonly images: boolean;
  /** The paper sections of the digest templates, see templates.ts. */
  readonly templates: { readonly html: Template; readonly text: Template };
  readonly encoders: Encoders;
};

/** Encodes a paper for the mails of one edition in one language. Pure; the same input gives the same octets. */
export function paperBlock(paper: PaperView, options: PaperBlockOptions): PaperBlock {
  const { locale, templates, encoders } = options;
  const shown = display(paper, locale);
  return {
    title: shown.title,
    authors: paper.authors.map(cleanText),
    firstCategory: paper.categories[0] ?? null,
    html: encoders.html(htmlPieces(paper, shown, options)),
    text: encoders.text(textPieces(paper, shown, locale, templates.text)),
  };
}

type Shown = {
  readonly title: string;
  readonly authors: string;
  readonly facts: string;
  readonly abstract: string;
  readonly links: readonly { readonly label: string; readonly url: string }[];
  readonly url: string | null;
};

function display(paper: PaperView, locale: Locale): Shown {
  const { links: labels } = locale.phrases.digest;
  const urls = [
    { label: labels.paper, url: safeUrl(paper.url) },
    { label: labels.pdf, url: safeUrl(paper.pdfUrl) },
    { label: labels.code, url: safeUrl(paper.codeUrl) },
    { label: labels.project, url: safeUrl(paper.projectUrl) },
  ];
  return {
    title: cutAtWord(displayText(paper.title), LONGEST_TITLE) || '—',
    authors: authorLine(paper.authors, locale),
    facts: factLine(paper, locale),
    abstract: opening(displayText(paper.abstract), ABSTRACT_LENGTH, locale.language),
    links: urls.flatMap(({ label, url }) => (url ? [{ label, url }] : [])),
    url: urls.find(({ url }) => url)?.url ?? null,
  };
}

/** "A, B, C and 4 more". */
export function authorLine(authors: readonly string[], locale: Locale): string {
  const names = authors
    .map(displayText)
    .filter((name) => name !== '')
    .map(setApart);
  const count = names.length - AUTHORS_SHOWN;
  // "and 1 more" takes the place of the one name it hides.
  if (count <= 1) return locale.list(names);
  const values = { names: names.slice(0, AUTHORS_SHOWN).join(', '), count: locale.number(count) };
  return format(locale.plural(locale.phrases.digest.moreAuthors, count), values);
}

function factLine(paper: PaperView, locale: Locale): string {
  const { votes, comments, stars } = locale.phrases.digest;
  const count = (phrase: typeof votes, value: number | null) =>
    value === null || value <= 0
      ? ''
      : format(locale.plural(phrase, value), { count: locale.compact(value) });
  return [
    [paper.origin, paper.categories.slice(0, 4).join(', ')].map(cleanText).filter(Boolean).join(' '),
    paper.organisation ? displayText(paper.organisation) : '',
    count(votes, paper.upvotes),
    count(comments, paper.comments),
    count(stars, paper.githubStars),
  ]
    .filter((fact) => fact !== '')
    .join(' · ');
}

function htmlPieces(
  paper: PaperView,
  shown: Shown,
  { locale, images, templates }: PaperBlockOptions,
): Pieces<Slot<'reasons' | 'mute'>> {
  const { actions } = locale.phrases.digest;
  const thumbnail = images ? safeUrl(paper.thumbnailUrl) : null;
  const values: Values<Slot<'reasons' | 'mute'>> = {
    anchor: `p${paper.id}`,
    url: shown.url === null ? null : { target: escapeHtml(shown.url) },
    title: shown.title,
    authors: shown.authors && { text: shown.authors },
    facts: shown.facts && { text: shown.facts },
    abstract: shown.abstract && { text: shown.abstract },
    thumbnail: thumbnail?.startsWith('https:') ? { source: escapeHtml(thumbnail) } : null,
    hasLinks: shown.links.length > 0,
    links: shown.links.map((link, index) => ({
      label: link.label,
      target: escapeHtml(link.url),
      first: index === 0,
    })),
    reasons: open(field('reasons')),
    mute: open(field('mute')),
    moreUrl: open<Slot>({ type: 'feedback', paper: paper.id, verdict: 'more' }),
    lessUrl: open<Slot>({ type: 'feedback', paper: paper.id, verdict: 'less' }),
    notNowUrl: open<Slot>({ type: 'feedback', paper: paper.id, verdict: 'not_now' }),
    more: actions.more,
    less: actions.less,
    notNow: actions.notNow,
  };
  return fill(templates.html, values, { escape: encodeHtml });
}

function textPieces(
  paper: PaperView,
  shown: Shown,
  locale: Locale,
  template: Template,
): Pieces<Slot<'reasons' | 'number'>> {
  const optional = (text: string) => (text === '' ? null : { lines: wrap(text, INDENT) });
  const { colon, digest } = locale.phrases;
  const values: Values<Slot<'reasons' | 'number'>> = {
    title: wrap(shown.title, INDENT, ''),
    authors: optional(shown.authors),
    facts: optional(shown.facts),
    abstract: optional(shown.abstract),
    reasons: open(field('reasons')),
    links: shown.links.map(({ label, url }) => ({ line: `${INDENT}${label}${colon} ${url}` })),
    actions: `${INDENT}${digest.actionsInText}${colon} `,
    place: open<Slot>({ type: 'place', paper: paper.id }),
    number: open(field('number')),
  };
  return fill(template, values, { escape: (text) => text });
}
