import { doiOf, parseArxivId } from '../identity.ts';
import type { PaperRecord } from '../paper.ts';
import { known, lineOf, storable } from '../text.ts';
import { namesIn, wordsIn } from './loose-record.ts';

/** What every form of arXiv metadata says of a paper, as texts. */
export type ArxivTexts = {
  /** Any form of the identifier, with the version if it is known. */
  readonly id: string | undefined;
  readonly title: string | undefined;
  readonly abstract: string | undefined;
  readonly authors: readonly string[];
  /** The primary one first. */
  readonly categories: readonly string[];
  readonly comment?: string | undefined;
  /** The licence's address. */
  readonly license?: string | undefined;
  /** One DOI, or several with white space or commas between. */
  readonly doi?: string | undefined;
  readonly version?: number | undefined;
  readonly publishedAt?: Date | undefined;
};

/**
 * A record out of arXiv's words, or what is missing. The title loses its line breaks, the abstract nothing but
 * the white space around it, which is the markup's.
 */
export function arxivRecord(texts: ArxivTexts): PaperRecord | { readonly missing: string } {
  const parsed = parseArxivId(texts.id ?? '');
  if (!parsed) return { missing: `no arXiv identifier: ${JSON.stringify(texts.id ?? '')}` };
  const title = lineOf(texts.title);
  if (title === undefined) return { missing: `arXiv:${parsed.id} has no title` };
  const abstract = storable(texts.abstract ?? '').trim();
  const [doi, ...otherDois] = doisIn(texts.doi);
  const comment = lineOf(texts.comment);
  return known({
    sourceId: parsed.id,
    arxivId: parsed.id,
    doi,
    aliases: otherDois.length > 0 ? otherDois.map((other) => `doi:${other}`) : undefined,
    title,
    abstract,
    authors: namesIn([...texts.authors]),
    categories: wordsIn([...new Set(texts.categories)]),
    comment,
    license: lineOf(texts.license),
    version: texts.version ?? parsed.version,
    publishedAt: texts.publishedAt,
    url: `https://arxiv.org/abs/${parsed.id}`,
    pdfUrl: `https://arxiv.org/pdf/${parsed.id}`,
    withdrawn: saysWithdrawn(comment ?? '', abstract),
  });
}

/** arXiv's own DOIs (10.48550/arXiv.…) name the arXiv id again and are left out. */
function doisIn(text: string | undefined): string[] {
  const dois = (text ?? '')
    .split(/[\s,;]+/)
    .map(doiOf)
    .filter((doi) => doi !== undefined);
  return dois.filter((doi) => !doi.startsWith('10.48550/arxiv.'));
}

/**
 * arXiv has no field for it: a withdrawn paper says so in its comment, or in place of its abstract
 * (https://info.arxiv.org/help/withdraw.html).
 */
export function saysWithdrawn(comment: string, abstract: string): boolean {
  const opening = abstract.slice(0, 300);
  const statement =
    /\b(?:paper|article|submission|manuscript|work|preprint|version|draft)\b[^.;]{0,40}\b(?:is|was|has been|have been|being)\s+(?:temporarily\s+)?withdrawn\b/i;
  return (
    /^\W*(?:this\s+\w+\s+)?withdrawn\b/i.test(comment) ||
    (/^this\b/i.test(comment) && statement.test(comment)) ||
    (/^\W*this\b/i.test(opening) && statement.test(opening.slice(0, 120)))
  );
}
