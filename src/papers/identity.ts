import { createHash } from 'node:crypto';
import type { PaperRecord } from './paper.ts';
import { oneLine } from './text.ts';

// https://info.arxiv.org/help/arxiv_identifier.html: YYMM.number (four digits until 2014, five since), and
// archive/YYMMnumber before April 2007, where a subject class after the archive is no part of the identifier.
const NEW_STYLE = /^(\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(v\d+)?$/;
const OLD_STYLE = /^([a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?\/(\d{2}(?:0[1-9]|1[0-2])\d{3})(v\d+)?$/;
const ARXIV_PREFIX =
  /^(?:https?:\/\/)?(?:(?:www\.|export\.)?arxiv\.org\/(?:abs|pdf|html|e-print|format|src|ps)\/|(?:www\.)?(?:huggingface|hf)\.co\/papers\/|(?:www\.)?alphaxiv\.org\/(?:abs|overview)\/|(?:dx\.)?doi\.org\/10\.48550\/arxiv\.|oai:arxiv\.org:|arxiv:|doi:10\.48550\/arxiv\.|10\.48550\/arxiv\.)\s*/;

/**
 * The arXiv identifier named by `text` and the version, if one is named. Understood: bare identifiers of both styles,
 * `arXiv:…` (also followed by `[cs.CL]`), OAI names, addresses of abs, pdf and html pages, of Hugging Face paper
 * pages, and arXiv's own DOIs.
 * @returns undefined when the text names no arXiv identifier
 */
export function parseArxivId(text: string): { id: string; version?: number } | undefined {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(ARXIV_PREFIX, '')
    .replace(/[?#].*$/, '')
    .replace(/\s*\[.*$/, '')
    .replace(/\.pdf$/, '')
    .replace(/\/$/, '');
  const modern = NEW_STYLE.exec(bare);
  if (modern?.[1]) return withVersion(modern[1], modern[2]);
  const old = OLD_STYLE.exec(bare);
  return old ? withVersion(`${old[1]}/${old[2]}`, old[3]) : undefined;
}

function withVersion(id: string, version: string | undefined) {
  return version ? { id, version: Number(version.slice(1)) } : { id };
}

/** {@link parseArxivId} without the version. */
export function arxivIdOf(text: string): string | undefined {
  return parseArxivId(text)?.id;
}

/**
 * A DOI in the form it is compared in: lower case (DOI Handbook 2.4: DOIs are case-insensitive), no resolver,
 * no trailing punctuation, and for bioRxiv and medRxiv no version (`…v2`).
 * @returns undefined when the text is no DOI
 */
export function doiOf(text: string): string | undefined {
  const bare = decoded(text.trim())
    .toLowerCase()
    .replace(/^(?:https?:\/\/)?(?:dx\.)?doi\.org\//, '')
    .replace(/^doi:\s*/, '')
    .replace(/[.,;]+$/, '');
  if (!/^10\.\d{4,9}(?:\.\d+)*\/\S+$/.test(bare)) return undefined;
  return /^10\.(?:1101|64898)\//.test(bare) ? bare.replace(/v\d+$/, '') : bare;
}

function decoded(text: string): string {
  try {
    return /^https?:/i.test(text) ? decodeURIComponent(text) : text;
  } catch {
    return text;
  }
}

/** Key of a paper that is known by its title only: two such papers are one when their titles are equal. */
export function titleKey(title: string): string {
  return createHash('sha256').update(oneLine(title).normalize('NFC')).digest('hex');
}

/**
 * Every name a record is known by, the strongest first: `arxiv:…`, `doi:…`, then `source:its own id`. The first one is
 * the identity of a paper stored from this record. Likeness of titles plays no part.
 */
export function identifiersOf(source: string, record: PaperRecord): [string, ...string[]] {
  const arxiv = record.arxivId ? [`arxiv:${record.arxivId}`] : [];
  const doi = record.doi ? [`doi:${record.doi}`] : [];
  const isName = record.sourceId === record.arxivId || record.sourceId === record.doi;
  const own = isName ? [] : [`${source}:${record.sourceId}`];
  const names = new Set([...arxiv, ...doi, ...(record.aliases ?? []), ...own]);
  return [...names] as [string, ...string[]];
}

/** A name of any form (`oai:arXiv.org:…`, an address, a bare DOI) as an identifier of `identifiersOf`. */
export function normalIdentifier(text: string): string {
  const arxivId = arxivIdOf(text);
  if (arxivId !== undefined) return `arxiv:${arxivId}`;
  const doi = doiOf(text);
  return doi === undefined ? text : `doi:${doi}`;
}
