import { html } from 'ghtml';
import type { SectionStatus, SourceStatus } from '#src/papers/source-health.ts';
import type { Site } from '../site.ts';
import { type Html, layout } from './layout.ts';
import { displayText } from './show.ts';

/** What the states of a source mean to a reader. */
const STATES: Readonly<Record<SourceStatus['state'], string>> = {
  ok: 'well',
  failing: 'failing',
  stale: 'nothing recent',
  never: 'not read yet',
};
/** Characters of a fault that are shown. */
const FAULT_SHOWN = 160;

/** The health of the sources, as `paperboy sources` tells it. */
export function sourcesPage(site: Site, statuses: readonly SourceStatus[]): Html {
  const ill = statuses.filter(({ state }) => state !== 'ok').length;
  return layout(site, {
    title: 'Sources',
    body: html`<h1>Sources</h1>
<p>Where the papers come from, and how reading them went. !${ill === 0 ? 'All is well.' : html`<strong>${ill} of ${statuses.length} need attention.</strong>`}</p>
<div class="table"><table><thead><tr><th scope="col">Source</th><th scope="col">State</th><th scope="col">Last success</th><th scope="col">Lag</th><th scope="col">Newest list</th><th scope="col">Expected</th><th scope="col">Fault</th></tr></thead>
<tbody>!${statuses.flatMap((status) => [sourceRow(status), ...status.sections.map(sectionRow)])}</tbody></table></div>
<p class="soft">Times are UTC. Lag is the time since the last reading without a fault.</p>`,
  });
}

function sourceRow(status: SourceStatus): Html {
  const { name, state, succeededAt, lagHours, newestListedOn, expectedListedOn } = status;
  return html`<tr><th scope="row">${name}</th><td>!${stateText(state)}</td><td>${minuteOf(succeededAt)}</td><td>${lagHours === null ? '' : `${lagHours} h`}</td><td>${newestListedOn ?? ''}</td><td>${expectedListedOn ?? ''}</td><td>${faultText(status)}</td></tr>`;
}

/** A category, told below its source. */
function sectionRow({
  section,
  state,
  succeededAt,
  newestListedOn,
  fresh,
  expected,
  fault,
}: SectionStatus): Html {
  const usual = fresh !== null && expected ? `${fresh} new of usually ${expected}` : '';
  return html`<tr class="soft"><td>${section}</td><td>!${stateText(state)}</td><td>${minuteOf(succeededAt)}</td><td></td><td>${newestListedOn ?? ''}</td><td></td><td>${fault === null ? usual : shortText(fault)}</td></tr>`;
}

const stateText = (state: SourceStatus['state']): Html =>
  state === 'ok' ? STATES.ok : html`<strong>${STATES[state]}</strong>`;
const minuteOf = (instant: string | null) => instant?.slice(0, 16).replace('T', ' ') ?? 'never';

/** A fault of the service itself may name its insides: that is for the log and `paperboy sources`. */
function faultText({ name, faults }: SourceStatus): string {
  const [fault] = faults;
  if (!fault) return '';
  if (fault.where === name) return 'reading it failed here; the log says why';
  return shortText(fault.message);
}

/** Without hosts and addresses: a mirror may be an internal one. */
function shortText(message: string): string {
  const text = displayText(message.replace(/https?:\/\/[^\s/]+|\b\d+(?:\.\d+){3}(?::\d+)?/g, '…'));
  return text.length > FAULT_SHOWN ? `${text.slice(0, FAULT_SHOWN).toWellFormed()}…` : text;
}
