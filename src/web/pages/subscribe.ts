import { html } from 'ghtml';
import type { Site } from '../site.ts';
import type { Html } from './layout.ts';

/** State of the subscribe form. */
export type SubscribeForm = {
  /** The signed time. */
  readonly time: string;
  readonly email?: string;
  readonly fault?: string;
  /** A topic to follow from the start, as `kind:value`. */
  readonly follow?: string;
};

/** The one-field form. The second text field is a trap for programs; people never see it. */
export function subscribeForm(site: Site, form: SubscribeForm, button = 'Subscribe'): Html {
  const invalid = form.fault ? ' aria-invalid="true" aria-describedby="email-fault"' : '';
  return html`<form method="post" action="${site.base}/subscribe">
!${form.fault ? html`<p class="notice" id="email-fault" role="alert">${form.fault}</p>` : ''}
<label for="email">Your email address</label>
<div class="row">
<input id="email" name="email" type="text" inputmode="email" autocomplete="email" autocapitalize="none" spellcheck="false" required maxlength="320" value="${form.email}"!${invalid}>
<button>${button}</button>
</div>
<div class="trap" aria-hidden="true"><label for="website">Leave this empty</label><input id="website" name="website" tabindex="-1" autocomplete="off"></div>
<input type="hidden" name="time" value="${form.time}">
<input type="hidden" name="timezone" value="" data-guess-zone>
!${form.follow ? html`<input type="hidden" name="follow" value="${form.follow}">` : ''}
<p class="soft">${site.consentText} You get one mail to confirm; without that nothing is sent.</p>
</form>`;
}
