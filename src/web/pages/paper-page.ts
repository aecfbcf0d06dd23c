import { html } from 'ghtml';
import type { PaperDetail } from '../paper-views.ts';
import type { Site } from '../site.ts';
import { votesChart } from './chart.ts';
import type { Html, Page } from './layout.ts';
import { licenceOf } from './licence.ts';
import { paperFacts, paperLinks, paperPath, type TopicsOf, topicChips } from './paper.ts';
import { displayText, SHOW } from './show.ts';

/** How kinds of listing are called. */
const KINDS = { new: 'new', cross: 'cross-listed', replace: 'new version', daily: 'daily list' } as const;

/** Everything about one paper. */
export function paperPage(site: Site, detail: PaperDetail, topicsOf: TopicsOf): Page {
  const { paper } = detail;
  const title = displayText(paper.title);
  return {
    title,
    description: SHOW.opening(paper.abstract),
    canonical: paperPath(paper),
    body: html`<article>
<h1 dir="auto">${title}</h1>
!${authors(site, detail)}
<p class="soft facts">!${[...paperFacts(paper), ...identifiers(detail)].map((fact) => html`<span>${fact}</span>`)}</p>
!${paper.withdrawnAt ? html`<p class="notice">This paper was withdrawn.</p>` : ''}
<p class="facts links">!${paperLinks(paper)}</p>
<h2>Abstract</h2>
<p class="abstract" dir="auto">${displayText(paper.abstract)}</p>
!${detail.comment ? html`<p class="soft" dir="auto">${displayText(detail.comment)}</p>` : ''}
!${licence(detail)}
!${topicChips(site, paper, topicsOf)}
!${votesChart(detail.signals)}
!${listings(site, detail)}
</article>
!${similar(site, detail)}`,
  };
}

const identifiers = ({ paper, version }: PaperDetail): string[] => [
  ...(paper.arxivId ? [`arXiv:${paper.arxivId}${version ? ` (v${version})` : ''}`] : []),
  ...(paper.doi ? [`doi:${paper.doi}`] : []),
  ...(paper.publishedAt ? [`published ${paper.publishedAt.toISOString().slice(0, 10)}`] : []),
];

function licence({ paper: { license } }: PaperDetail): Html {
  if (license === null) return '';
  const { name, url } = licenceOf(license);
  return html`<p class="soft">Licence: !${url ? html`<a href="${url}" rel="license">${displayText(name)}</a>` : html`${displayText(name)}`}</p>`;
}

function authors(site: Site, { paper }: PaperDetail): Html {
  if (paper.authors.length === 0) return '';
  const links = paper.authors.map((name) => {
    const query = `author:"${name.replaceAll('"', '')}"`;
    return html`<a href="${site.base}/search?q=${encodeURIComponent(query)}">${displayText(name)}</a>`;
  });
  return html`<p class="soft" dir="auto">!${links.join(', ')}</p>`;
}

function listings(site: Site, detail: PaperDetail): Html {
  if (detail.listings.length === 0) return '';
  return html`<h2>Where it was listed</h2>
<ul class="plain">!${detail.listings.map((listing) => html`<li><a href="${site.base}/day/${listing.listedOn}">${listing.listedOn}</a> · ${listing.source}${listing.section ? ` ${listing.section}` : ''} · ${KINDS[listing.kind]}</li>`)}</ul>`;
}

function similar(site: Site, detail: PaperDetail): Html {
  if (detail.similar.length === 0) return '';
  return html`<h2>Similar papers</h2>
<ul class="plain">!${detail.similar.map((paper) => html`<li dir="auto"><a href="${site.base}${paperPath(paper)}">${displayText(paper.title)}</a></li>`)}</ul>`;
}
