import { html } from 'ghtml';
import type { PaperId } from '#src/database/ids.ts';
import type { Reader, Web } from '../web.ts';
import type { Html } from './layout.ts';
import { displayText } from './show.ts';
import { weightsSection } from './weights.ts';

/** The parts of the preferences page after its form: what was learned, address, data, leaving. */
export async function readerSections(web: Web, token: string, reader: Reader): Promise<Html> {
  const { follows } = await web.deps.subscribers.followsOf(reader.subscriber.id);
  const weights = weightsSection(web.site, token, follows, await web.deps.catalogue());
  return html`!${weights}
!${await learned(web, token, reader)}
!${own(web, token, reader)}
!${address(web, token)}
!${data(web, token)}
!${leaving(web, reader)}`;
}

async function learned(web: Web, token: string, reader: Reader): Promise<Html> {
  const feedback = await web.deps.subscribers.feedbackOf(reader.subscriber.id);
  const ids = [...feedback.likes, ...feedback.dislikes, ...feedback.notNow];
  if (ids.length === 0)
    return html`<h2 id="learned">What was learned from you</h2><p>Nothing yet: “more like this” and “less” in your mails teach it.</p>
!${startAfresh(web, token)}`;
  const papers = new Map((await web.deps.papersByIds(ids)).map((paper) => [paper.id, paper.title]));
  const list = (title: string, some: readonly PaperId[]) =>
    some.length === 0
      ? ''
      : html`<h3>${title}</h3><ul class="plain">!${some.map((id) => html`<li>${displayText(papers.get(id) ?? '')} !${forget(web, token, id)}</li>`)}</ul>`;
  return html`<h2 id="learned">What was learned from you</h2>
!${list('You want more like', feedback.likes)}
!${list('You want less like', feedback.dislikes)}
!${list('Not now', feedback.notNow)}
<form method="post" action="${web.site.base}/preferences/${token}/forget"><p class="actions"><button class="quiet">Forget all of it</button></p></form>
!${startAfresh(web, token)}`;
}

const startAfresh = (web: Web, token: string): Html =>
  html`<form method="post" action="${web.site.base}/preferences/${token}/reset"><p><button class="link">Start afresh: forget this and everything I follow and mute</button></p></form>`;

const forget = (web: Web, token: string, id: PaperId): Html =>
  html`<form method="post" action="${web.site.base}/preferences/${token}/forget"><input type="hidden" name="paper" value="${id}"><button class="link">forget</button></form>`;

function own(web: Web, token: string, reader: Reader): Html {
  const { base } = web.site;
  const feed = (format: 'atom' | 'json') => web.deps.links.feed(reader.subscriber, format);
  return html`<h2>Your digests</h2>
<p><a href="${base}/preferences/${token}/archive">The digests you were sent</a></p>
<p>As a feed: <a href="${feed('atom')}">Atom</a>, <a href="${feed('json')}">JSON</a>. Their addresses are secret: who has one can read along.</p>
<form method="post" action="${base}/preferences/${token}/new-feeds"><button class="quiet">Make new addresses, end the old ones</button></form>`;
}

const address = (web: Web, token: string): Html => html`<h2>Another address</h2>
<form method="post" action="${web.site.base}/preferences/${token}/address">
<div class="field"><label for="email">New address <span class="hint">both addresses get a mail, and both have to agree</span></label>
<input id="email" name="email" type="text" inputmode="email" autocomplete="email" required maxlength="320"></div>
<p class="actions"><button class="quiet">Move my subscription</button></p>
</form>`;

const data = (web: Web, token: string): Html => html`<h2 id="erase">Your data</h2>
<p><a href="${web.site.base}/preferences/${token}/export" download>Download all of it (JSON)</a></p>
<form method="post" action="${web.site.base}/preferences/${token}/erase">
<label class="choice"><input type="checkbox" name="sure" value="on" required><span>Erase everything; this can’t be undone</span></label>
<p class="actions"><button class="quiet">Erase everything</button></p>
</form>`;

function leaving(web: Web, reader: Reader): Html {
  const links = web.deps.links.linksOf(reader.subscriber);
  return html`<h2>A pause, or goodbye</h2>
<p class="actions"><a class="button quiet" href="${links.pause}">Pause</a> <a class="button quiet" href="${links.unsubscribe}">Unsubscribe</a></p>`;
}
