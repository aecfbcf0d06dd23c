import { html } from 'ghtml';
import { localeOf } from '#src/mail/languages.ts';
import { type ReasonRun, reasonRuns } from '#src/mail/reasons.ts';
import type { PreviewResult } from '../preview.ts';
import type { Site } from '../site.ts';
import { longDate } from './day.ts';
import type { Html } from './layout.ts';
import { authorLine, paperTitle } from './paper.ts';
import { displayText } from './show.ts';

const run = ({ type, text }: ReasonRun): Html => (type === 'term' ? html`<em>${text}</em>` : html`${text}`);

/** What today's digest would be, each paper with why it is there: a fragment that the form's script puts in place. */
export function previewFragment(site: Site, result: PreviewResult, language: string): Html {
  const count = result.papers.length;
  return html`<h2>Today with these choices</h2>
<p class="soft">${longDate(result.date)}: ${count} of ${result.candidates.toLocaleString('en')} papers</p>
!${count === 0 ? html`<p>Nothing of today fits. Follow more, or let it fill up with trending papers.</p>` : ''}
<ol class="papers">!${result.papers.map(
    (paper) => html`<li class="paper">!${paperTitle(site, paper, displayText(paper.title), 3)}
!${paper.authors.length > 0 ? html`<p class="soft" dir="auto">${displayText(authorLine(paper.authors))}</p>` : ''}
<ul class="chips">!${reasonRuns(paper.reasons, localeOf(language)).map((runs) => html`<li class="chip">!${runs.map(run)}</li>`)}</ul></li>
`,
  )}</ol>`;
}
