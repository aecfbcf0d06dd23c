import { html } from 'ghtml';
import type { IsoDate } from '#src/database/ids.ts';
import type { Day } from '../dependencies.ts';
import type { Site } from '../site.ts';
import type { Html, Page } from './layout.ts';
import { type PaperShow, paperItem } from './paper.ts';
import { type SubscribeForm, subscribeForm } from './subscribe.ts';

/** How a day is shown. */
export type DayShow = PaperShow & {
  /** Present on the start page. */
  readonly subscribe?: SubscribeForm;
  /** Today in UTC: a day that is today still fills. */
  readonly today: IsoDate;
};

const FEEDS = [
  { title: 'Trending papers of the day', path: '/today.atom', type: 'atom' },
  { title: 'Trending papers of the day', path: '/today.json', type: 'json' },
] as const;

/** "Friday, 5 June 2026". */
export const longDate = (date: IsoDate): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' }).format(new Date(date));

/** The page of one day; the start page with the subscribe form, when the day is the newest. */
export function dayPage(site: Site, day: Day, show: DayShow): Page {
  const title = show.subscribe
    ? 'Trending research papers, daily'
    : `Trending papers of ${longDate(day.date)}`;
  return {
    title,
    description: `The research papers that trend on ${longDate(day.date)}, with authors, abstracts, code and votes.`,
    canonical: show.subscribe ? '/' : `/day/${day.date}`,
    feeds: FEEDS,
    current: 'today',
    script: Boolean(show.subscribe),
    body: html`!${show.subscribe ? subscribeBox(site, show.subscribe) : ''}
!${dayHeading(day, Boolean(show.subscribe))}
!${dayNavigation(site, day)}
!${fillingNote(day, show.today)}
!${paperList(site, day, show.subscribe ? { ...show, level: 3 } : show)}`,
  };
}

const subscribeBox = (site: Site, form: SubscribeForm): Html => html`<section class="subscribe">
<h1>Get trending papers in your email inbox once a day</h1>
!${subscribeForm(site, form)}
</section>`;

/** "12 papers", or "The 50 that trend most of 428 papers". */
function countLine(list: Pick<Day, 'papers' | 'total'>): Html {
  const count = `${list.total.toLocaleString('en')} ${list.total === 1 ? 'paper' : 'papers'}`;
  const cut = list.papers.length < list.total;
  return html`<p class="soft">${cut ? `The ${list.papers.length} that trend most of ${count}` : count}</p>`;
}

function dayHeading(day: Day, isStart: boolean): Html {
  const text = longDate(day.date);
  return html`!${isStart ? html`<h2>${text}</h2>` : html`<h1>${text}</h1>`}!${countLine(day)}`;
}

function dayNavigation(site: Site, day: Day): Html {
  const link = (date: IsoDate | null, label: string, rel: string) =>
    date ? html`<a rel="${rel}" href="${site.base}/day/${date}">${label}</a>` : '';
  return html`<nav class="days-nav" aria-label="Days">
!${link(day.previous, '← Previous day', 'prev')}
<a href="${site.base}/week/${day.date}">The week</a>
<a href="${site.base}/month/${day.date.slice(0, 7)}">The month</a>
!${link(day.next, 'Next day →', 'next')}
</nav>`;
}

function fillingNote(day: Day, today: IsoDate): Html {
  if (day.date >= today)
    return html`<p class="notice">This day is still filling: papers and votes keep coming in until midnight UTC.</p>`;
  return '';
}

/** Papers as a list, or a sentence where there are none. */
export function paperList(site: Site, list: Pick<Day, 'papers'>, show: PaperShow): Html {
  if (list.papers.length === 0) return html`<p>No papers were listed here.</p>`;
  return html`<ol class="papers">
!${list.papers.map((paper) => paperItem(site, paper, show))}
</ol>`;
}

/** The best of several days. */
export function rangePage(
  site: Site,
  range: Omit<Day, 'date'> & { title: string; path: string; parent: string },
  links: { previous: string | null; next: string | null },
  show: PaperShow,
): Page {
  return {
    title: range.title,
    description: `${range.title}: the research papers that trended most.`,
    canonical: range.path,
    current: 'today',
    body: html`<h1>${range.title}</h1>
!${countLine(range)}
!${rangeNavigation(site, range.parent, links)}
!${paperList(site, range, show)}`,
  };
}

function rangeNavigation(
  site: Site,
  label: string,
  links: { previous: string | null; next: string | null },
): Html {
  if (!links.previous && !links.next) return '';
  const link = (path: string | null, text: string, rel: string) =>
    path ? html`<a rel="${rel}" href="${site.base}${path}">${text}</a>` : '';
  return html`<nav class="days-nav" aria-label="${label}">!${link(links.previous, '← Earlier', 'prev')}!${link(links.next, 'Later →', 'next')}</nav>`;
}
