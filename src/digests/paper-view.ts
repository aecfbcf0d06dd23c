import type { PaperView } from '#src/mail/digest-view.ts';
import type { Paper } from '#src/papers/paper.ts';

/** A stored paper as the mails show it: links filled in from its identifiers where the sources gave none. */
export function paperView(paper: Paper): PaperView {
  const { arxivId, doi } = paper;
  const arxiv = arxivId ? `https://arxiv.org/abs/${arxivId}` : null;
  return {
    id: paper.id,
    title: paper.title,
    abstract: paper.abstract,
    authors: paper.authors,
    origin: originOf(paper),
    categories: paper.categories,
    organisation: paper.organisation,
    upvotes: paper.upvotes,
    comments: paper.comments,
    githubStars: paper.githubStars,
    url: arxiv ?? paper.url ?? (doi ? `https://doi.org/${doi}` : null),
    pdfUrl: paper.pdfUrl ?? (arxivId ? `https://arxiv.org/pdf/${arxivId}` : null),
    codeUrl: paper.codeUrl,
    projectUrl: paper.projectUrl,
    thumbnailUrl: paper.thumbnailUrl,
  };
}

/** DOI prefixes whose home readers know by name. */
const DOI_HOMES: readonly (readonly [prefix: string, name: string])[] = [
  ['10.48550/', 'arXiv'],
  ['10.1101/', 'bioRxiv / medRxiv'],
  ['10.64898/', 'bioRxiv / medRxiv'],
];

function originOf({ arxivId, doi, url }: Paper): string {
  if (arxivId) return 'arXiv';
  const home = DOI_HOMES.find(([prefix]) => doi?.startsWith(prefix));
  if (home) return home[1];
  if (url && URL.canParse(url)) return new URL(url).hostname.replace(/^www\./, '');
  return '';
}
