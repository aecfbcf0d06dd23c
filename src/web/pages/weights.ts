import { html } from 'ghtml';
import { topicKey } from '#src/topics/parse-topic.ts';
import { type CatalogueTopic, FOLLOW_WEIGHT, type Follow } from '#src/topics/topic.ts';
import type { Site } from '../site.ts';
import type { Html } from './layout.ts';
import { nameOf } from './profile.ts';

/** How much each followed topic counts, in a form of its own; nothing to weigh below two of them. */
export function weightsSection(
  site: Site,
  token: string,
  follows: readonly Follow[],
  catalogue: readonly CatalogueTopic[],
): Html {
  if (follows.length < 2) return '';
  const rows = follows.map((follow, at) => {
    const name = nameOf(follow, catalogue);
    return html`<li class="weight"><input type="hidden" name="topics" value="${topicKey(follow)}"><label for="weight-${at}">${name}</label> <input id="weight-${at}" name="weights" type="number" min="${FOLLOW_WEIGHT.minimum}" max="${FOLLOW_WEIGHT.maximum}" step="any" required value="${follow.weight}"></li>`;
  });
  return html`<h2 id="weights">How much each counts</h2>
<p>From ${FOLLOW_WEIGHT.maximum}, most, to ${FOLLOW_WEIGHT.minimum}; what counts is how they compare. Whatever has the most gets its place in a short mail first.</p>
<form method="post" action="${site.base}/preferences/${token}/weights"><ul class="plain">!${rows}</ul>
<p class="actions"><button class="quiet">Save weights</button></p></form>`;
}
