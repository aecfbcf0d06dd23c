import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { html } from 'ghtml';
import { Type } from 'typebox';
import { describeAddressFault } from '#src/subscribers/address.ts';
import type { RequestedChoices } from '#src/subscribers/request.ts';
import { parseZone } from '#src/subscribers/zones.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import { buttonPage, messagePage, wayOn } from '../pages/message.ts';
import { subscribeForm } from '../pages/subscribe.ts';
import { goTo, sendDeadLink, sendPage, TokenParams, visitOf, type Web } from '../web.ts';

const SubscribeBody = Type.Object({
  email: Type.String({ maxLength: 400, default: '' }),
  time: Type.String({ maxLength: 60, default: '' }),
  timezone: Type.String({ maxLength: 64, default: '' }),
  follow: Type.String({ maxLength: 600, default: '' }),
  /** The trap. */
  website: Type.String({ maxLength: 1000, default: '' }),
});

/** Subscribing: the form, "check your mail", and the confirmation with its button. */
export const subscribeRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { subscribers, now, links } = web.deps;

    app.get('/subscribe', (_request, reply) => sendForm(web, reply, {}));

    app.post('/subscribe', { schema: { body: SubscribeBody } }, async (request, reply) => {
      const { email, time, follow, timezone, website } = request.body;
      const timing = web.formTimes.check(time, now());
      if (website !== '' || (timing !== 'fresh' && timing !== 'absent')) {
        request.log.info({ timing, trap: website !== '' }, 'a subscribe form looks like a program');
        return sendForm(web, reply, {
          email,
          follow,
          again: true,
          ...(timing === 'too-fast' ? { time } : {}),
        });
      }
      const outcome = await subscribers.requestSubscription({
        email,
        choices: choicesOf(timezone, follow),
        visit: visitOf(request),
      });
      if (outcome.type === 'refused')
        return sendForm(web, reply, { email, follow, fault: describeAddressFault(outcome.fault) });
      return goTo(web, reply, '/check-your-mail');
    });

    app.get('/check-your-mail', (_request, reply) =>
      sendPage(
        web,
        reply,
        messagePage(
          'Check your mail',
          [
            'We have sent a mail to the address you entered. Open it and press its button: the first papers follow at once.',
            'Nothing there after a few minutes? Look into the spam folder, then enter the address again.',
          ],
          wayOn(web.site, [['/', 'To the start']]),
        ),
      ),
    );

    app.get('/confirm/:token', { schema: { params: TokenParams } }, async (request, reply) => {
      const { token } = request.params;
      const view = await subscribers.viewConfirmation(token);
      if (view.type !== 'open') {
        request.log.info({ link: 'confirmation', fault: view.type }, 'a link was refused');
        return sendDeadLink(web, reply);
      }
      const page = view.purpose === 'subscribe' ? CONFIRM : confirmAddress(view.newEmail ?? '');
      const fields = html`<input type="hidden" name="timezone" value="" data-guess-zone>`;
      return sendPage(web, reply, buttonPage(web.site, { ...page, action: `/confirm/${token}`, fields }));
    });

    const ConfirmBody = Type.Object({ timezone: Type.String({ maxLength: 64, default: '' }) });
    app.post(
      '/confirm/:token',
      { schema: { params: TokenParams, body: ConfirmBody } },
      async (request, reply) => {
        const timezone = parseZone(request.body.timezone) ?? undefined;
        const outcome = await subscribers.confirm(request.params.token, visitOf(request), timezone);
        switch (outcome.type) {
          case 'confirmed': {
            const url = links.linksOf(outcome.subscriber).preferences;
            return reply.redirect(`${url}${outcome.first ? '?welcome=1' : ''}`, 303);
          }
          case 'address-changed':
            return sendPage(web, reply, ADDRESS_CHANGED);
          case 'address-agreed':
            return sendPage(web, reply, ADDRESS_AGREED);
          case 'unknown':
          case 'used':
          case 'expired':
            request.log.info({ link: 'confirmation', fault: outcome.type }, 'a link was refused');
            return sendDeadLink(web, reply);
        }
      },
    );
    done();
  };

const CONFIRM = {
  title: 'Confirm your subscription',
  paragraphs: [
    'Press the button to get trending research papers by mail. You can change everything afterwards.',
  ],
  button: 'Yes, send me the digest',
};

const confirmAddress = (newEmail: string) => ({
  title: 'Confirm the change of address',
  paragraphs: [
    `The subscription is to move to ${newEmail}.`,
    'It moves when both addresses, the old one and the new one, have agreed with a button like this.',
  ],
  button: 'Yes, move it',
});

const ADDRESS_CHANGED = messagePage('The subscription has moved', [
  'Both addresses have agreed: the next digest goes to the new one. Links in older mails no longer work.',
]);
const ADDRESS_AGREED = messagePage('Thank you', [
  'One address has agreed. The subscription moves as soon as the other one does too: look for its mail.',
]);

/** What was asked for with the address; whatever is not understood is left out. */
function choicesOf(timezone: string, follow: string): RequestedChoices {
  const zone = parseZone(timezone);
  const colon = follow.indexOf(':');
  const topic = colon > 0 ? parseTopic(follow.slice(0, colon), follow.slice(colon + 1)) : null;
  return {
    ...(zone ? { timezone: zone } : {}),
    ...(topic?.type === 'ok' ? { follows: [{ ...topic.topic, weight: 1 }] } : {}),
  };
}

/**
 * The form on a page of its own: after a fault, or when the post looked like a program's. `time`: of the form that was sent,
 * for one who was merely quick: were it made anew, quick presses would lead here for ever.
 */
function sendForm(
  web: Web,
  reply: Parameters<typeof sendPage>[1],
  form: { email?: string; follow?: string; fault?: string; again?: boolean; time?: string },
) {
  const { again, time = web.formTimes.issue(web.deps.now()), ...given } = form;
  const page = {
    title: 'Subscribe',
    body: html`<h1>${again ? 'One more press' : 'Get trending papers in your inbox'}</h1>
!${again ? html`<p>Please press the button once more: that tells us that you are a person.</p>` : ''}
<section class="subscribe">!${subscribeForm(web.site, { ...given, time })}</section>`,
    script: true,
  };
  return sendPage(web, reply, page, form.fault ? 400 : 200);
}
