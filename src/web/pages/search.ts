import { html } from 'ghtml';
import type { ListedPaper } from '../dependencies.ts';
import type { Site } from '../site.ts';
import { paperList } from './day.ts';
import type { Html, Page } from './layout.ts';
import type { TopicsOf } from './paper.ts';
import { SHOW } from './show.ts';
import type { SubscribeForm } from './subscribe.ts';
import { followBox } from './topics.ts';

/** What the search page shows. */
export type SearchView = {
  /** As typed. */
  readonly typed: string;
  readonly fault: string | null;
  readonly result: {
    /** The query as it would be followed. */
    readonly canonical: string;
    readonly papers: readonly ListedPaper[];
    readonly total: number;
    readonly offset: number;
    readonly perPage: number;
  } | null;
  readonly subscribe: SubscribeForm;
  readonly topicsOf: TopicsOf;
};

/** Search over all papers, and "follow this search". */
export function searchPage(site: Site, view: SearchView): Page {
  return {
    title: view.typed ? `Search: ${view.typed}` : 'Search',
    // Only the empty page is for search engines.
    ...(view.typed ? {} : { description: 'Search all papers.', canonical: '/search' }),
    current: 'search',
    script: true,
    body: html`<h1>Search</h1>
<form class="search" role="search" action="${site.base}/search"><input type="search" name="q" value="${view.typed}" maxlength="500" aria-label="Search papers"!${view.fault ? ' aria-invalid="true" aria-describedby="fault"' : ''}><button>Search</button></form>
!${view.fault ? html`<p class="notice" id="fault" role="alert">${view.fault}</p>` : ''}
!${view.result ? results(site, view, view.result) : HELP}`,
  };
}

const HELP = html`<div class="table"><table>
<caption class="skip">What a search understands</caption>
<thead><tr><th scope="col">Write</th><th scope="col">to find papers</th></tr></thead>
<tbody>
<tr><td><code>protein folding</code></td><td>about these words, the best fit first</td></tr>
<tr><td><code>"latent diffusion"</code></td><td>with this phrase</td></tr>
<tr><td><code>speech -music</code></td><td>with the one and without the other</td></tr>
<tr><td><code>author:"Ada Lovelace"</code></td><td>by somebody</td></tr>
<tr><td><code>cat:cs.CL</code></td><td>of an arXiv category</td></tr>
<tr><td><code>title:survey</code></td><td>with a word in the title</td></tr>
<tr><td><code>after:2026-06-01</code></td><td>listed after a day</td></tr>
<tr><td><code>(agents OR robots) cat:cs.AI</code></td><td>with either, and more</td></tr>
</tbody></table></div>`;

function results(site: Site, view: SearchView, result: NonNullable<SearchView['result']>): Html {
  const query = encodeURIComponent(result.canonical);
  const topic = { kind: 'query', value: result.canonical } as const;
  return html`<p class="soft">${result.total.toLocaleString('en')} found · Feeds: <a href="${site.base}/search.atom?q=${query}">Atom</a>, <a href="${site.base}/search.json?q=${query}">JSON</a></p>
!${followBox(site, 'Follow this search by mail', { topic, subscribe: view.subscribe })}
!${result.papers.length > 0 ? paperList(site, result, { ...SHOW, topicsOf: view.topicsOf }) : html`<p>No paper fits. Fewer words find more.</p>`}
!${pager(site, result)}`;
}

function pager(site: Site, result: NonNullable<SearchView['result']>): Html {
  const link = (offset: number, label: string, rel: string) =>
    html`<a rel="${rel}" href="${site.base}/search?q=${encodeURIComponent(result.canonical)}&amp;from=${offset}">${label}</a>`;
  const previous =
    result.offset > 0 ? link(Math.max(0, result.offset - result.perPage), '← Before', 'prev') : '';
  const next =
    result.offset + result.perPage < result.total
      ? link(result.offset + result.perPage, 'More →', 'next')
      : '';
  return previous || next ? html`<nav class="days-nav" aria-label="Pages">!${previous}!${next}</nav>` : '';
}
