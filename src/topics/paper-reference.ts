import { shorten } from './category.ts';

/** Most characters of a typed reference or link. */
const LIMIT = 300;

const NEW_STYLE = /^(\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(?:v\d{1,3})?$/;
const OLD_STYLE = /^([a-z]{2,}(?:-[a-z]{2,})?)(?:\.[A-Za-z]{2,4})?\/(\d{7})(?:v\d{1,3})?$/i;
const DOI = /^10\.\d{4,9}\/[^\s"<>]+$/;

/** The identity of a paper (`arxiv:2606.01234`, `doi:10.1101/…`, `page:…`), or what is wrong with the reference. */
export type PaperReference =
  | { readonly type: 'ok'; readonly identity: string }
  | { readonly type: 'invalid'; readonly message: string };

/**
 * Reads what a reader may paste for one paper: an arXiv identifier with or without `arXiv:` and version, a link
 * to its abstract, PDF, HTML, ar5iv, alphaXiv or Hugging Face page, a DOI or a link to doi.org, or an identity
 * as Paperboy stores it. Versions are dropped: they are one paper.
 */
export function parsePaperReference(text: string): PaperReference {
  const typed = text.trim();
  if (typed.length > LIMIT) return invalid(typed);
  if (/^(page|hf|source):[\w.:/-]+$/.test(typed)) return { type: 'ok', identity: typed };
  const bare = typed
    .replace(/^https?:\/\//i, '')
    .replace(
      /^(?:www\.|export\.)?(?:arxiv\.org|ar5iv\.org|ar5iv\.labs\.arxiv\.org|alphaxiv\.org)\/(?:abs|pdf|html|list)\//i,
      '',
    )
    .replace(/^(?:www\.)?(?:huggingface\.co|hf\.co)\/papers\//i, '')
    .replace(/^(?:dx\.)?doi\.org\//i, '')
    .replace(/[?#].*$/, '')
    .replace(/^(?:arxiv|doi):\s*/i, '')
    .replace(/(?:\.pdf|\/)$/i, '')
    .replace(/^10\.48550\/arxiv\./i, '');
  const arxivId = NEW_STYLE.exec(bare)?.[1] ?? oldStyle(bare);
  if (arxivId) return { type: 'ok', identity: `arxiv:${arxivId}` };
  if (DOI.test(bare)) return { type: 'ok', identity: `doi:${bare.toLowerCase()}` };
  return invalid(typed);
}

function oldStyle(text: string): string | undefined {
  const match = OLD_STYLE.exec(text);
  return match ? `${(match[1] as string).toLowerCase()}/${match[2]}` : undefined;
}

function invalid(typed: string): PaperReference {
  return {
    type: 'invalid',
    message: `"${shorten(typed)}" names no paper; paste an arXiv identifier such as 2606.01234, its link, or a DOI`,
  };
}
