import { html } from 'ghtml';
import type { Site } from '../site.ts';
import type { Html, Page } from './layout.ts';

/** A page that says one thing and shows the way on. */
export function messagePage(title: string, paragraphs: readonly string[], wayOn: Html = ''): Page {
  return {
    title,
    body: html`<h1>${title}</h1>
!${paragraphs.map(
      (text) => html`<p>${text}</p>
`,
    )}
!${wayOn}`,
  };
}

/** Links as the way on. */
export const wayOn = (site: Site, links: readonly (readonly [path: string, label: string])[]): Html =>
  html`<p class="actions">!${links.map(([path, label]) => html`<a class="button quiet" href="${site.base}${path}">${label}</a> `)}</p>`;

/** A question with one button: what GET shows wherever something is about to change. */
export function buttonPage(
  site: Site,
  ask: {
    title: string;
    paragraphs: readonly string[];
    action: string;
    button: string;
    fields?: Html;
    after?: Html;
  },
): Page {
  return {
    title: ask.title,
    body: html`<h1>${ask.title}</h1>
!${ask.paragraphs.map(
      (text) => html`<p>${text}</p>
`,
    )}
<form method="post" action="${site.base}${ask.action}">
!${ask.fields}
<p class="actions"><button>${ask.button}</button></p>
</form>
!${ask.after}`,
    script: true,
  };
}

/** One page for every link that does not work, whatever the reason: nobody learns which it was. */
export const deadLinkPage = (site: Site): Page =>
  messagePage(
    'This link no longer works',
    [
      'It may have expired, been used already, or been replaced by a newer one.',
      'If you have just confirmed your subscription, all is well. Otherwise use a link of the newest mail you had from us, or enter your address again: the mail you then get leads to your preferences.',
    ],
    wayOn(site, [['/', 'To the start']]),
  );
