import { html } from 'ghtml';
import type { ListedPaper } from './dependencies.ts';
import { paperPath, webUrl } from './pages/paper.ts';
import { displayText } from './pages/show.ts';
import type { Site } from './site.ts';

/** What a feed says. */
export type Feed = {
  readonly title: string;
  /** The page it belongs to and the feed itself, without the base. */
  readonly page: string;
  readonly self: string;
  readonly papers: readonly ListedPaper[];
};

/** Media types of the two formats. */
export const FEED_TYPES = {
  atom: 'application/atom+xml; charset=utf-8',
  json: 'application/feed+json; charset=utf-8',
} as const;

/** The two formats. */
export type FeedFormat = keyof typeof FEED_TYPES;

/** Renders a feed: Atom (RFC 4287) or JSON Feed 1.1. */
export const renderFeed = (site: Site, feed: Feed, format: FeedFormat, now: Date): string =>
  format === 'atom' ? renderAtom(site, feed, now) : renderJson(site, feed, now);

/** Characters that XML 1.0 forbids are gone already from texts cleaned for display; names may hold them too. */
const xml = (text: string): string => displayText(text).replace(/[\ufffe\uffff]/g, '');

const dayOf = (paper: ListedPaper, now: Date): string =>
  paper.firstListedOn ? `${paper.firstListedOn}T00:00:00Z` : now.toISOString();

/** When the newest of them came; the same papers give the same feed, so that readers' caches hold. */
const updated = (feed: Feed, now: Date): string =>
  feed.papers.reduce((latest, paper) => (dayOf(paper, now) > latest ? dayOf(paper, now) : latest), '') ||
  `${now.toISOString().slice(0, 10)}T00:00:00Z`;

function renderAtom(site: Site, feed: Feed, now: Date): string {
  const root = `${site.origin}${site.base}`;
  return html`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>${xml(feed.title)}</title>
<id>${root}${feed.self}</id>
<updated>${updated(feed, now)}</updated>
<link rel="self" type="application/atom+xml" href="${root}${feed.self}"/>
<link rel="alternate" type="text/html" href="${root}${feed.page}"/>
<generator>Paperboy</generator>
!${feed.papers.map(
    (paper) => html`<entry>
<title>${xml(paper.title)}</title>
<id>${root}${paperPath(paper)}</id>
<updated>${dayOf(paper, now)}</updated>
<link rel="alternate" type="text/html" href="${root}${paperPath(paper)}"/>
!${relatedLink(paper)}!${authorsOf(paper).map((name) => html`<author><name>${xml(name)}</name></author>`)}
!${paper.categories.map((code) => html`<category term="${xml(code)}"/>`)}
<summary>${xml(paper.abstract)}</summary>
</entry>
`,
  )}</feed>
`;
}

/** Atom wants an author for every entry. */
const authorsOf = (paper: ListedPaper): readonly string[] => {
  const names = paper.authors.filter((name) => xml(name) !== '');
  return names.length > 0 ? names : ['Unknown'];
};

function relatedLink(paper: ListedPaper): string {
  const url = webUrl(paper.url);
  return url ? html`<link rel="related" href="${url}"/>` : '';
}

function renderJson(site: Site, feed: Feed, now: Date): string {
  const root = `${site.origin}${site.base}`;
  return `${JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: displayText(feed.title),
    home_page_url: `${root}${feed.page}`,
    feed_url: `${root}${feed.self}`,
    items: feed.papers.map((paper) => ({
      id: `${root}${paperPath(paper)}`,
      url: `${root}${paperPath(paper)}`,
      ...(webUrl(paper.url) ? { external_url: webUrl(paper.url) } : {}),
      title: displayText(paper.title),
      content_text: displayText(paper.abstract),
      date_published: dayOf(paper, now),
      authors: paper.authors.map((name) => ({ name: displayText(name) })),
      tags: paper.categories,
    })),
  })}\n`;
}
