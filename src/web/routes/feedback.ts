import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { html } from 'ghtml';
import { Type } from 'typebox';
import { type IsoDate, isoDate, type PaperId } from '#src/database/ids.ts';
import { topicName } from '#src/topics/catalogue.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import { buttonPage, messagePage } from '../pages/message.ts';
import { displayText } from '../pages/show.ts';
import { DIGEST_POLICY } from '../plugins/security.ts';
import {
  isGone,
  readReader,
  readToken,
  sendDeadLink,
  sendHtml,
  sendPage,
  TokenParams,
  visitOf,
  type Web,
} from '../web.ts';

const VERDICTS = {
  more: { title: 'More like this', text: 'Papers like this one will come more often:' },
  less: { title: 'Less like this', text: 'Papers like this one will come less often:' },
  not_now: { title: 'Not now', text: 'This paper will not come again:' },
} as const;
const REMINDED = 'This paper will come again once, in a week or two:';

const FeedbackParams = Type.Object({
  ...TokenParams.properties,
  paper: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  verdict: Type.Union([Type.Literal('more'), Type.Literal('less'), Type.Literal('not_now')]),
});
const TopicParams = Type.Object({
  ...TokenParams.properties,
  action: Type.Union([Type.Literal('mute'), Type.Literal('unfollow')]),
  kind: Type.String({ maxLength: 20 }),
});
const TopicQuery = Type.Object({ value: Type.String({ maxLength: 1000, default: '' }) });

/** What the links below each paper of a digest lead to: a page that says what it will do, with one button. */
export const feedbackRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { subscribers, links } = web.deps;
    const toPreferences = (who: { publicId: string; epoch: number }) =>
      html`<p class="actions"><a class="button quiet" href="${links.linksOf({ publicId: who.publicId, linkEpoch: who.epoch }).preferences}">To your preferences</a></p>`;

    app.get(
      '/feedback/:token/:paper/:verdict',
      { schema: { params: FeedbackParams } },
      async (request, reply) => {
        const { token, paper, verdict } = request.params;
        const reader = await readReader(web, request, 'feedback', token);
        if (!reader) return sendDeadLink(web, reply);
        const [found] = await web.deps.papersByIds([paper as PaperId]);
        if (!found) return reply.callNotFound();
        const { title, text } = VERDICTS[verdict];
        const isReminded = verdict === 'not_now' && reader.subscriber.reminders;
        const action = `/feedback/${token}/${paper}/${verdict}`;
        const paragraphs = [isReminded ? REMINDED : text, displayText(found.title)];
        return sendPage(web, reply, buttonPage(web.site, { title, paragraphs, action, button: title }));
      },
    );

    app.post(
      '/feedback/:token/:paper/:verdict',
      { schema: { params: FeedbackParams } },
      async (request, reply) => {
        const { token, paper, verdict } = request.params;
        const who = readToken(web, request, 'feedback', token);
        if (!who) return sendDeadLink(web, reply);
        const outcome = await subscribers.giveFeedback(who, paper as PaperId, verdict, visitOf(request));
        if (isGone(request, outcome)) return sendDeadLink(web, reply);
        if (outcome.type === 'unknown-paper') return reply.callNotFound();
        const page = messagePage(
          'Noted',
          ['Your next digest knows. You can take it back in your preferences.'],
          toPreferences(who),
        );
        return sendPage(web, reply, page);
      },
    );

    app.get(
      '/topic/:token/:action/:kind',
      { schema: { params: TopicParams, querystring: TopicQuery } },
      async (request, reply) => {
        const { token, action, kind } = request.params;
        const reader = await readReader(web, request, 'topic', token);
        if (!reader) return sendDeadLink(web, reply);
        const parsed = parseTopic(kind, request.query.value, await web.deps.catalogue());
        if (parsed.type === 'invalid') return reply.callNotFound();
        const name = topicName(parsed.topic);
        const text =
          action === 'mute'
            ? `Papers of ${name} will not come any more.`
            : `You no longer follow ${name}; its papers may still come when they trend or match something else.`;
        const page = buttonPage(web.site, {
          title: action === 'mute' ? `Mute ${name}` : `Unfollow ${name}`,
          paragraphs: [text],
          action: `/topic/${token}/${action}/${kind}?value=${encodeURIComponent(request.query.value)}`,
          button: action === 'mute' ? 'Mute' : 'Unfollow',
        });
        return sendPage(web, reply, page);
      },
    );

    app.post(
      '/topic/:token/:action/:kind',
      { schema: { params: TopicParams, querystring: TopicQuery } },
      async (request, reply) => {
        const { token, action, kind } = request.params;
        const who = readToken(web, request, 'topic', token);
        if (!who) return sendDeadLink(web, reply);
        const parsed = parseTopic(kind, request.query.value, await web.deps.catalogue());
        if (parsed.type === 'invalid') return reply.callNotFound();
        const outcome = await subscribers.changeTopic(who, parsed.topic, action, visitOf(request));
        if (isGone(request, outcome)) return sendDeadLink(web, reply);
        const text = action === 'mute' ? 'You will not see it again.' : 'You no longer follow it.';
        return sendPage(web, reply, messagePage('Done', [text], toPreferences(who)));
      },
    );

    app.get(
      '/digest/:token/:date',
      {
        schema: { params: Type.Object({ ...TokenParams.properties, date: Type.String({ maxLength: 10 }) }) },
      },
      async (request, reply) => {
        const reader = await readReader(web, request, 'digest', request.params.token);
        if (!reader) return sendDeadLink(web, reply);
        const date = dateOrNull(request.params.date);
        const document = date && (await web.deps.digestHtml(reader.subscriber.id, date));
        if (!document) return reply.callNotFound();
        return sendHtml(reply.header('content-security-policy', DIGEST_POLICY), document);
      },
    );
    done();
  };

function dateOrNull(text: string): IsoDate | null {
  try {
    return isoDate(text);
  } catch {
    return null;
  }
}
