import { html } from 'ghtml';
import type { ListedPaper } from '../dependencies.ts';
import type { Site } from '../site.ts';
import type { Html } from './layout.ts';

/** How titles, names and abstracts are shown: cleaned of what can't be displayed. */
export type DisplayText = (text: string) => string;

/** How a list shows its papers. */
export type PaperShow = {
  readonly display: DisplayText;
  readonly opening: (text: string) => string;
  /** Level of the titles' headings (default 2: right below the page's own). */
  readonly level?: 2 | 3;
  /** The catalogue topics that a paper belongs to. */
  readonly topicsOf?: TopicsOf;
};

/** Catalogue topics of a paper, see `createTopicsOf`. */
export type TopicsOf = (
  paper: Pick<ListedPaper, 'title' | 'abstract'>,
) => readonly { readonly slug: string; readonly name: string }[];

/** Chips of each kind at most. */
const CHIPS = 4;

/** Path of a paper's page. */
export const paperPath = (paper: Pick<ListedPaper, 'identity'>): string =>
  `/papers/${encodeURIComponent(paper.identity)}`;

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

/** "12 votes", "3 comments" … of what was seen. */
export function paperFacts(paper: ListedPaper): string[] {
  const facts: string[] = [];
  if (paper.upvotes !== null) facts.push(plural(paper.upvotes, 'vote', 'votes'));
  if (paper.comments) facts.push(plural(paper.comments, 'comment', 'comments'));
  if (paper.githubStars) facts.push(plural(paper.githubStars, 'GitHub star', 'GitHub stars'));
  if (paper.organisation) facts.push(paper.organisation);
  return facts;
}

/** Addresses of other sites come from outside: only web addresses become links. */
export function webUrl(url: string | null): string | null {
  if (!url || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}

/** "Paper", "PDF", "Code", "Project" where they exist. */
export function paperLinks(paper: ListedPaper): Html[] {
  const links = [
    ['Paper', paper.url],
    ['PDF', paper.pdfUrl],
    ['Code', paper.codeUrl],
    ['Project', paper.projectUrl],
  ] as const;
  return links.flatMap(([label, given]) => {
    const url = webUrl(given);
    return url ? [html`<a href="${url}" rel="noopener">${label}</a>`] : [];
  });
}

/** First three authors and how many more. */
export function authorLine(authors: readonly string[]): string {
  const first = authors.slice(0, 3).join(', ');
  return authors.length > 3 ? `${first} and ${authors.length - 3} more` : first;
}

/** A paper in a list. */
export function paperItem(site: Site, paper: ListedPaper, show: PaperShow): Html {
  const facts = paperFacts(paper);
  const links = paperLinks(paper);
  return html`<li class="paper">
!${paperTitle(site, paper, show.display(paper.title), show.level)}
!${paper.authors.length > 0 ? html`<p class="soft" dir="auto">${show.display(authorLine(paper.authors))}</p>` : ''}
<p class="abstract" dir="auto">${show.opening(paper.abstract)}</p>
!${topicChips(site, paper, show.topicsOf)}
!${facts.length > 0 ? html`<p class="soft facts">!${facts.map((fact) => html`<span>${fact}</span>`)}</p>` : ''}
!${links.length > 0 ? html`<p class="facts links">!${links}</p>` : ''}
</li>
`;
}

/** A title as a heading that leads to the paper's page. */
export function paperTitle(
  site: Site,
  paper: Pick<ListedPaper, 'identity'>,
  title: string,
  level: 2 | 3 = 2,
): Html {
  const link = html`<a href="${site.base}${paperPath(paper)}">${title}</a>`;
  return level === 2
    ? html`<h2 class="title" dir="auto">!${link}</h2>`
    : html`<h3 class="title" dir="auto">!${link}</h3>`;
}

/** What a paper is about: its catalogue topics, then its arXiv categories. */
export function topicChips(site: Site, paper: ListedPaper, topicsOf?: TopicsOf): Html {
  const chip = (kind: 'topic' | 'category', value: string, label: string) =>
    html`<li><a class="chip" href="${site.base}/topics/${kind}/${encodeURIComponent(value)}">${label}</a></li>`;
  const chips = [
    ...(topicsOf?.(paper) ?? []).slice(0, CHIPS).map(({ slug, name }) => chip('topic', slug, name)),
    ...paper.categories.slice(0, CHIPS).map((code) => chip('category', code, code)),
  ];
  return chips.length > 0 ? html`<ul class="chips">!${chips}</ul>` : '';
}
