import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { html } from 'ghtml';
import { Type } from 'typebox';
import { addDays, type IsoDate, isoDate } from '#src/database/ids.ts';
import { localDate } from '#src/subscribers/schedule.ts';
import { buttonPage, messagePage } from '../pages/message.ts';
import {
  isGone,
  readReader,
  readToken,
  sendDeadLink,
  sendPage,
  TokenParams,
  visitOf,
  type Web,
} from '../web.ts';

/** Pausing, leaving, and taking it back. */
export const leavingRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { subscribers, links, now } = web.deps;
    const schema = { params: TokenParams };

    app.get('/unsubscribe/:token', { schema }, async (request, reply) => {
      const reader = await readReader(web, request, 'unsubscribe', request.params.token);
      if (!reader) return sendDeadLink(web, reply);
      const { pause } = links.linksOf(reader.subscriber);
      const page = buttonPage(web.site, {
        title: 'Unsubscribe',
        paragraphs: [`No more digests to ${reader.subscriber.email}.`],
        action: `/unsubscribe/${request.params.token}`,
        button: 'Unsubscribe',
        after: html`<p class="actions"><a class="button quiet" href="${pause}">Pause instead</a></p>`,
      });
      return sendPage(web, reply, page);
    });

    app.post('/unsubscribe/:token', { schema }, async (request, reply) => {
      const who = readToken(web, request, 'unsubscribe', request.params.token);
      if (!who) return sendDeadLink(web, reply);
      const outcome = await subscribers.unsubscribe(who, 'page', visitOf(request));
      if (isGone(request, outcome)) return sendDeadLink(web, reply);
      const undo = links.undo({ publicId: who.publicId, linkEpoch: who.epoch }, now());
      const action = new URL(undo).pathname;
      const page = messagePage(
        'You are unsubscribed',
        ['No more digests will come. Thank you for having read us.'],
        html`<form method="post" action="${action}"><p class="actions"><button class="quiet">Undo</button></p></form>`,
      );
      return sendPage(web, reply, page);
    });

    app.get('/undo/:token', { schema }, (request, reply) => {
      if (!readToken(web, request, 'undo', request.params.token)) return sendDeadLink(web, reply);
      const page = buttonPage(web.site, {
        title: 'Come back',
        paragraphs: ['Everything you had chosen is still there.'],
        action: `/undo/${request.params.token}`,
        button: 'Subscribe me again',
      });
      return sendPage(web, reply, page);
    });

    app.post('/undo/:token', { schema }, async (request, reply) => {
      const who = readToken(web, request, 'undo', request.params.token);
      const outcome = who && (await subscribers.undoUnsubscribe(who, visitOf(request)));
      if (!outcome || isGone(request, outcome) || outcome.type === 'never-confirmed')
        return sendDeadLink(web, reply);
      return sendPage(web, reply, messagePage('Welcome back', ['Your digests go on as before.']));
    });

    registerPause(web, app);
    done();
  };

const PauseBody = Type.Object({
  for: Type.Union([Type.Literal('week'), Type.Literal('month'), Type.Literal('date'), Type.Literal('open')]),
  until: Type.String({ maxLength: 10, default: '' }),
});

function registerPause(web: Web, app: Parameters<ReturnType<typeof leavingRoutes>>[0]): void {
  const { subscribers, links, now } = web.deps;

  app.get('/pause/:token', { schema: { params: TokenParams } }, async (request, reply) => {
    const reader = await readReader(web, request, 'pause', request.params.token);
    if (!reader) return sendDeadLink(web, reply);
    const tomorrow = addDays(localDate(reader.subscriber.timezone, now()), 1);
    return sendPage(
      web,
      reply,
      buttonPage(web.site, {
        title: 'Pause',
        paragraphs: ['No digests for a while; everything you have chosen stays.'],
        action: `/pause/${request.params.token}`,
        button: 'Pause',
        fields: pauseFields(tomorrow),
      }),
    );
  });

  app.post('/pause/:token', { schema: { params: TokenParams, body: PauseBody } }, async (request, reply) => {
    const reader = await readReader(web, request, 'pause', request.params.token);
    if (!reader) return sendDeadLink(web, reply);
    const until = untilOf(request.body, localDate(reader.subscriber.timezone, now()));
    if (until === 'invalid') return sendPage(web, reply, DATE_PASSED, 400);
    const outcome = await subscribers.pause(reader.who, until, visitOf(request));
    if (isGone(request, outcome)) return sendDeadLink(web, reply);
    if (outcome.type === 'date-passed') return sendPage(web, reply, DATE_PASSED, 400);
    if (outcome.type === 'not-active') return sendPage(web, reply, NOT_ACTIVE, 409);
    const { preferences } = links.linksOf(reader.subscriber);
    const text = until ? `Your digests come again on ${until}.` : 'Your digests rest until you come back.';
    const wayBack = html`<p class="actions"><a class="button quiet" href="${preferences}">To your preferences</a></p>`;
    return sendPage(web, reply, messagePage('Paused', [text], wayBack));
  });
}

const DATE_PASSED = messagePage('That date does not work', [
  'Please go back and choose a day after today. Nothing was changed.',
]);
const NOT_ACTIVE = messagePage('There is nothing to pause', ['You are not subscribed at the moment.']);

const pauseFields = (tomorrow: IsoDate) => html`<fieldset><legend>For how long</legend>
<label class="choice"><input type="radio" name="for" value="week" checked><span>A week</span></label>
<label class="choice"><input type="radio" name="for" value="month"><span>A month</span></label>
<label class="choice"><input type="radio" name="for" value="date"><span>Until a date:</span></label>
<div class="field"><label for="until">Date of the first digest again</label><input id="until" type="date" name="until" min="${tomorrow}"></div>
<label class="choice"><input type="radio" name="for" value="open"><span>Until I come back</span></label>
</fieldset>`;

function untilOf(body: { for: 'week' | 'month' | 'date' | 'open'; until: string }, today: IsoDate) {
  switch (body.for) {
    case 'week':
      return addDays(today, 7);
    case 'month':
      return addDays(today, 30);
    case 'open':
      return null;
    case 'date':
      try {
        return isoDate(body.until);
      } catch {
        return 'invalid' as const;
      }
  }
}
