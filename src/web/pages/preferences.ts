import { html } from 'ghtml';
import type { StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import { ZONES } from '#src/subscribers/zones.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { FieldFault, PreferencesBody } from '../forms/preferences-form.ts';
import type { Site } from '../site.ts';
import type { Html, Page } from './layout.ts';

/** What the preferences page shows. */
export type PreferencesView = {
  readonly token: string;
  readonly subscriber: StoredSubscriber;
  readonly values: PreferencesBody;
  readonly faults: readonly FieldFault[];
  readonly catalogue: readonly CatalogueTopic[];
  readonly languages: readonly { readonly tag: string; readonly name: string }[];
  readonly note: 'welcome' | 'saved' | null;
  /** What the reader gets as saved, in sentences. */
  readonly profile: readonly string[];
  /** Markup of the sections after the form: learned feedback, feeds, address, leaving. */
  readonly after: Html;
  /** Markup of the preview; empty until it was asked for. */
  readonly preview: Html;
};

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const NOTES = {
  welcome: html`<div class="notice" role="status"><p>You are subscribed. Choose what you want to get and save: your first digest comes at once. Nothing has to be chosen; then it brings what trends, in a quarter of an hour.</p></div>`,
  saved: html`<div class="notice" role="status"><p>Saved.</p></div>`,
};

const HINT = html`<p class="soft">“Preview” shows what today’s digest would be with these choices, and why each paper is there.</p>`;

/** Choosing topics, hour, zone, frequency and the rest. One form; the parts that change state apart have their own. */
export function preferencesPage(site: Site, view: PreferencesView): Page {
  return {
    title: view.note === 'welcome' ? 'Choose what you get' : 'Your preferences',
    script: true,
    wide: true,
    body: html`<h1>${view.note === 'welcome' ? 'Choose what you get' : 'Your preferences'}</h1>
<p class="soft">${view.subscriber.email}</p>
!${view.note === 'welcome' ? '' : html`<p>${view.profile.join(' ')}</p>`}
!${view.note ? NOTES[view.note] : ''}
!${stateNote(site, view)}
!${faultList(view.faults)}
<div class="beside">
<form method="post" action="${site.base}/preferences/${view.token}" data-preferences>
!${topicFields(view)}
!${timeFields(view)}
!${contentFields(view)}
<p class="actions"><button>Save</button> <button class="quiet" formaction="${site.base}/preferences/${view.token}/preview#preview">Preview</button></p>
</form>
<section id="preview" class="preview" tabindex="0" aria-label="Preview">!${view.preview || HINT}</section>
</div>
<div class="column">
!${view.after}</div>`,
  };
}

function stateNote(site: Site, { subscriber, token }: PreferencesView): Html {
  if (subscriber.state === 'paused')
    return html`<div class="notice"><p>Your digests are paused${subscriber.pausedUntil ? ` until ${subscriber.pausedUntil}` : ''}.</p>
<form method="post" action="${site.base}/preferences/${token}/resume"><button class="quiet">Resume now</button></form></div>`;
  if (subscriber.state === 'unsubscribed')
    return html`<div class="notice"><p>You are not subscribed at the moment. <a href="${site.base}/">Subscribe again</a></p></div>`;
  return '';
}

/** What has to be mended before anything is saved. */
export function faultList(faults: readonly FieldFault[]): Html {
  if (faults.length === 0) return '';
  return html`<div class="notice" role="alert"><p>Nothing was saved yet. Please mend:</p>
<ul>!${faults.map((fault) => html`<li><a href="#${fault.field}">${fault.field}</a>: ${fault.message}</li>`)}</ul></div>`;
}

const checkbox = (name: string, value: string, label: Html, checked: boolean): Html =>
  html`<label class="choice"><input type="checkbox" name="${name}" value="${value}"!${checked ? ' checked' : ''}><span>!${label}</span></label>`;

const lines = (name: keyof PreferencesBody, label: string, hint: string, value: string): Html =>
  html`<div class="field"><label for="${name}">${label} <span class="hint" id="${name}-hint">${hint}</span></label>
<textarea id="${name}" name="${name}" aria-describedby="${name}-hint" rows="3" spellcheck="false">
${value}</textarea></div>`;

function topicFields({ values, catalogue }: PreferencesView): Html {
  const chosen = new Set(values.topics);
  const groups = Map.groupBy(catalogue, (topic) => topic.group);
  // One who has chosen nothing yet sees all there is.
  const isOpen = (topics: readonly CatalogueTopic[]) =>
    chosen.size === 0 || topics.some((topic) => chosen.has(topic.slug));
  return html`<fieldset id="topics"><legend>What you follow</legend>
<p class="hint">Tick themes, name categories, authors and searches, or paste papers that you liked. Nothing chosen means: whatever trends.</p>
<div class="field" data-find-topic hidden><label for="find-topic">Find a theme</label><input id="find-topic" type="search" autocomplete="off" aria-controls="topics"><p class="hint" role="status"></p></div>
!${[...groups].map(
    ([
      group,
      topics,
    ]) => html`<details!${isOpen(topics) ? ' open' : ''}><summary>${group}</summary><div class="choices">
!${topics.map((topic) => checkbox('topics', topic.slug, html`${topic.name}`, chosen.has(topic.slug)))}
</div></details>
`,
  )}
!${lines('papers', 'Papers like these', 'arXiv ids or links of papers you liked', values.papers)}
!${lines('queries', 'Searches', 'one a line: words, “phrases”, -not, author:, cat:', values.queries)}
!${lines('categories', 'arXiv categories', 'such as cs.CL or stat.*', values.categories)}
!${lines('authors', 'Authors', 'one name a line', values.authors)}
!${lines('organisations', 'Organisations', 'one name a line', values.organisations)}
!${lines('mutes', 'Never show me', 'one a line: words, or author: name, organisation: name, category: cs.RO, topic: a-theme, paper: 2606.01234, trending:', values.mutes)}
!${checkbox('trending', 'on', html`Follow what trends, whatever it is about`, values.trending !== undefined)}
</fieldset>`;
}

const option = (value: string | number, label: string, chosen: boolean): Html =>
  html`<option value="${value}"!${chosen ? ' selected' : ''}>${label}</option>`;

function timeFields({ values, note }: PreferencesView): Html {
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const frequencies = [
    ['daily', 'Every day'],
    ['weekdays', 'Monday to Friday'],
    ['weekly', 'Once a week, the best of it'],
  ] as const;
  return html`<fieldset><legend>When it comes</legend>
<div class="fields">
<div class="field"><label for="hour">Hour</label><select id="hour" name="hour">!${hours.map((hour) => option(hour, `${String(hour).padStart(2, '0')}:00`, hour === values.hour))}</select></div>
<div class="field"><label for="timezone">Time zone</label><input id="timezone" name="timezone" list="zones" value="${values.timezone}" autocomplete="off" required!${note === 'welcome' ? ' data-guess-zone' : ''}>
<datalist id="zones">!${ZONES.map((zone) => html`<option value="${zone}">`)}</datalist></div>
<div class="field"><label for="frequency">How often</label><select id="frequency" name="frequency">!${frequencies.map(([value, label]) => option(value, label, value === values.frequency))}</select></div>
</div>
<div class="field" role="group" aria-labelledby="weekdays"><span id="weekdays"><strong>Only on</strong> <span class="hint">for once a week: the first of them</span></span>
<div class="days">!${DAYS.map((day, i) => checkbox('weekdays', String(i), html`${day}`, values.weekdays.includes(i)))}</div></div>
</fieldset>`;
}

function contentFields({ values, languages }: PreferencesView): Html {
  return html`<fieldset><legend>What it holds</legend>
<div class="fields">
<div class="field"><label for="papersPerDigest">Papers at most</label><input id="papersPerDigest" name="papersPerDigest" type="number" min="1" max="50" required value="${values.papersPerDigest}"></div>
<div class="field"><label for="language">Language of the mail</label><select id="language" name="language">!${languages.map(({ tag, name }) => option(tag, name, tag === values.language))}</select></div>
</div>
<div class="field"><label for="dial">Taste or trend <span class="hint" id="dial-hint">left: only what matches you; right: only what trends</span></label>
<input id="dial" name="dial" type="range" min="0" max="100" step="5" value="${values.dial}" aria-describedby="dial-hint"></div>
!${checkbox('fillWithTrending', 'on', html`Fill up with trending papers when few match`, values.fillWithTrending !== undefined)}
!${checkbox('tellNothingToday', 'on', html`Tell me when there is nothing today`, values.tellNothingToday !== undefined)}
!${checkbox('reminders', 'on', html`Remind me once, after a week or two, of papers I put aside with “not now”`, values.reminders !== undefined)}
!${checkbox('sections', 'on', html`Sort the papers into sections by topic`, values.sections !== undefined)}
!${checkbox('images', 'on', html`Show pictures where there are any`, values.images !== undefined)}
</fieldset>`;
}
