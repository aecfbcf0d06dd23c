import { arxivIdOf, doiOf, parseArxivId, titleKey } from '../identity.ts';
import type { PaperRecord } from '../paper.ts';
import { instantOf, known, lineOf, oneLine, storable, webAddressOf } from '../text.ts';
import { splitAuthors } from './people.ts';

/** A JSON object or a CSV row. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * A paper out of a JSON object or CSV row by the field names that people use: `title`; `abstract` or `summary`;
 * `id`, `arxiv_id`, `arxivId`, `doi`, `url`, `abs` for what names it; `authors` and `categories` as lists or as one text.
 * @returns the record, or what is missing
 */
export function looseRecord(fields: Fields): PaperRecord | { readonly missing: string } {
  const title = lineOf(fields['title']);
  if (title === undefined) return { missing: 'no title' };
  const abstract = first(fields, ['abstract', 'summary'], (value) =>
    typeof value === 'string' ? storable(value) : undefined,
  );
  if (abstract === undefined) return { missing: 'no abstract' };
  return known({ ...namesOf(fields, title), title, abstract, ...detailsOf(fields) });
}

function namesOf(fields: Fields, title: string) {
  const names = ['arxiv_id', 'arxivId', 'id', 'doi', 'url', 'abs', 'identity'];
  const texts = names.map((name) => lineOf(fields[name])).filter((text) => text !== undefined);
  const arxivId = texts.map(arxivIdOf).find((id) => id !== undefined);
  const doi = texts.map(doiOf).find((name) => name !== undefined && arxivIdOf(name) === undefined);
  const sourceId = arxivId ?? doi ?? lineOf(fields['id']) ?? titleKey(title);
  const version = texts.map((text) => parseArxivId(text)?.version).find((number) => number !== undefined);
  return { sourceId, arxivId, doi, version };
}

function detailsOf(fields: Fields) {
  return {
    authors: peopleIn(fields['authors'] ?? fields['author']),
    categories: wordsIn(fields['categories'] ?? fields['category']),
    organisation: first(fields, ['organisation', 'organization'], lineOf),
    keywords: namesIn(fields['keywords']),
    comment: first(fields, ['comment', 'comments'], lineOf),
    publishedAt: first(fields, ['published_at', 'publishedAt', 'published'], instantOf),
    url: first(fields, ['url', 'abs', 'link'], webAddressOf),
    pdfUrl: first(fields, ['pdf_url', 'pdfUrl', 'pdf'], webAddressOf),
    codeUrl: first(fields, ['code_url', 'codeUrl', 'code', 'github'], webAddressOf),
    projectUrl: first(fields, ['project_url', 'projectUrl'], webAddressOf),
    thumbnailUrl: first(fields, ['thumbnail_url', 'thumbnailUrl'], webAddressOf),
    withdrawn: fields['withdrawn'] === true || fields['withdrawn'] === 'true' ? true : undefined,
  };
}

/** The first of some fields that `read` understands. */
export function first<T>(fields: Fields, names: readonly string[], read: (value: unknown) => T | undefined) {
  for (const name of names) {
    const value = read(fields[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** People: a list of texts, or one text as people write it (`A. B, C. D and E. F`, or `B, A.; D, C.`). */
function peopleIn(value: unknown): string[] | undefined {
  return namesIn(typeof value === 'string' && !value.includes(';') ? splitAuthors(value) : value);
}

/** Phrases: a list of texts, or one text with `;` between them, or with `,` where no `;` is. */
export function namesIn(value: unknown): string[] | undefined {
  const parts = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(/;/.test(value) ? ';' : ',')
      : [];
  const names = parts
    .filter((part) => typeof part === 'string')
    .map(oneLine)
    .filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
}

/** arXiv categories: a list of texts, or one text with white space, `,` or `;` between them. */
export function wordsIn(value: unknown): string[] | undefined {
  return namesIn(typeof value === 'string' ? value.split(/[\s,;]+/) : value);
}

/** True for a plain JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
