import { html } from 'ghtml';
import type { Site } from '../site.ts';

/** What a page is made of. Strings of type {@link Html} are markup already; everything else gets escaped. */
export type Page = {
  readonly title: string;
  /** For search engines and shared links; pages without one are kept out of both. */
  readonly description?: string;
  /** Path of the page itself without the base, for the canonical link; pages of readers have none. */
  readonly canonical?: string;
  readonly body: Html;
  /** Feeds of this page. */
  readonly feeds?: readonly {
    readonly title: string;
    readonly path: string;
    readonly type: 'atom' | 'json';
  }[];
  /** Which entry of the navigation this is. */
  readonly current?: 'today' | 'topics' | 'search';
  /** Takes the width of two columns where there is room. */
  readonly wide?: boolean;
  /** Loads the enhancements; pages without a form need none. */
  readonly script?: boolean;
};

/** Markup made by `html`: every value in it is escaped. Put it into another template with `!${…}`. */
export type Html = string;

const NAVIGATION = [
  ['today', '/', 'Today'],
  ['topics', '/topics', 'Topics'],
  ['search', '/search', 'Search'],
] as const;
const FEED_TYPES = { atom: 'application/atom+xml', json: 'application/feed+json' };

/** The whole document. */
export function layout(site: Site, page: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title} · Paperboy</title>
!${metadata(site, page)}
<link rel="icon" href="${site.base}${site.asset('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${site.base}${site.asset('style.css')}">
!${page.script ? html`<script type="module" src="${site.base}${site.asset('enhance.js')}"></script>` : ''}
</head>
<body!${page.wide ? ' class="wide"' : ''}>
<a class="skip" href="#main">Skip to the content</a>
<header class="masthead frame">
<a class="name" href="${site.base}/">Paperboy</a>
<nav aria-label="Main">!${NAVIGATION.map(([key, path, label]) => navigationLink(site, key === page.current, path, label))}</nav>
</header>
<main id="main" class="frame">
!${page.body}
</main>
!${foot(site)}
</body>
</html>
`;
}

const navigationLink = (site: Site, current: boolean, path: string, label: string): Html =>
  html`<a href="${site.base}${path}"!${current ? ' aria-current="page"' : ''}>${label}</a>`;

function metadata(site: Site, page: Page): Html {
  if (!page.canonical || !page.description) return html`<meta name="robots" content="noindex">`;
  const url = `${site.origin}${site.base}${page.canonical}`;
  return html`<meta name="description" content="${page.description}">
<link rel="canonical" href="${url}">
<meta property="og:title" content="${page.title}">
<meta property="og:description" content="${page.description}">
<meta property="og:type" content="website">
<meta property="og:url" content="${url}">
<meta property="og:site_name" content="Paperboy">
!${(page.feeds ?? []).map(
    (feed) =>
      html`<link rel="alternate" type="${FEED_TYPES[feed.type]}" title="${feed.title}" href="${site.base}${feed.path}">
`,
  )}`;
}

function foot(site: Site): Html {
  return html`<footer class="foot frame">
<ul>
<li><a href="${site.base}/today.atom">Atom feed</a></li>
<li><a href="${site.base}/today.json">JSON Feed</a></li>
<li><a href="${site.base}/api">API</a></li>
<li><a href="${site.base}/sources">Sources</a></li>
</ul>
<p>Run by ${site.operatorName}!${site.postalAddress ? html`, ${site.postalAddress}` : ''}. No cookies, no tracking.</p>
</footer>`;
}
