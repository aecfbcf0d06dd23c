import { html } from 'ghtml';
import { ARXIV_CATEGORIES } from '#src/topics/catalogue.ts';
import type { CatalogueTopic, TopicRef } from '#src/topics/topic.ts';
import type { ListedPaper } from '../dependencies.ts';
import type { Site } from '../site.ts';
import { paperList } from './day.ts';
import type { Html, Page } from './layout.ts';
import type { TopicsOf } from './paper.ts';
import { SHOW } from './show.ts';
import { type SubscribeForm, subscribeForm } from './subscribe.ts';

/** Path of a topic's page: catalogue topics and categories have one, everything else is a search. */
export function topicPath(topic: TopicRef): string {
  return `/topics/${topic.kind}/${encodeURIComponent(topic.value)}`;
}

/** The catalogue: research themes by group, and arXiv's categories. */
export function topicsPage(site: Site, catalogue: readonly CatalogueTopic[]): Page {
  const groups = Map.groupBy(catalogue, (topic) => topic.group);
  const archives = Map.groupBy(ARXIV_CATEGORIES, (category) => category.code.split('.')[0] ?? '');
  return {
    title: 'Topics',
    description: 'Research themes and arXiv categories to follow, each with its newest papers and a feed.',
    canonical: '/topics',
    current: 'topics',
    body: html`<h1>Topics</h1>
<p class="lead">Themes to follow, each with its newest papers. Anything else can be followed as a <a href="${site.base}/search">search</a>.</p>
<div class="groups">!${[...groups].map(
      ([
        group,
        topics,
      ]) => html`<section><h2>${group}</h2><ul>!${topics.map((topic) => html`<li><a href="${site.base}${topicPath({ kind: 'topic', value: topic.slug })}">${topic.name}</a></li>`)}</ul></section>
`,
    )}</div>
<h2>arXiv categories</h2>
!${[...archives].map(
      ([
        archive,
        categories,
      ]) => html`<details><summary>${archive}</summary><ul class="plain">!${categories.map((category) => html`<li><a href="${site.base}${topicPath({ kind: 'category', value: category.code })}">${category.code}</a> ${category.name}</li>`)}</ul></details>
`,
    )}`,
  };
}

/** What a list page of a topic or search shows. */
export type ListView = {
  readonly topic: TopicRef;
  readonly name: string;
  readonly description: string;
  readonly papers: readonly ListedPaper[];
  readonly subscribe: SubscribeForm;
  readonly topicsOf: TopicsOf;
};

/** One topic: its newest papers, feeds, and a subscribe field that follows it from the start. */
export function topicPage(site: Site, view: ListView): Page {
  const path = topicPath(view.topic);
  return {
    title: view.name,
    description: view.description || `The newest papers of ${view.name}.`,
    canonical: path,
    current: 'topics',
    script: true,
    feeds: [
      { title: view.name, path: `${path}.atom`, type: 'atom' },
      { title: view.name, path: `${path}.json`, type: 'json' },
    ],
    body: html`<h1>${view.name}</h1>
!${view.description ? html`<p class="lead">${view.description}</p>` : ''}
<p class="soft">Feeds: <a href="${site.base}${path}.atom">Atom</a>, <a href="${site.base}${path}.json">JSON</a></p>
!${followBox(site, `Get ${view.name} by mail`, view)}
!${paperList(site, view, { ...SHOW, topicsOf: view.topicsOf })}`,
  };
}

/** The one-field subscribe form of a topic. */
export const followBox = (site: Site, title: string, view: Pick<ListView, 'topic' | 'subscribe'>): Html =>
  html`<details class="subscribe"><summary>${title}</summary>
!${subscribeForm(site, { ...view.subscribe, follow: `${view.topic.kind}:${view.topic.value}` }, 'Follow by mail')}
</details>`;
