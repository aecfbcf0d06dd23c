import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { PreferencesBody, parsePreferences, preferencesValues } from '../forms/preferences-form.ts';
import { messagePage } from '../pages/message.ts';
import { faultList, type PreferencesView, preferencesPage } from '../pages/preferences.ts';
import { previewFragment } from '../pages/preview.ts';
import { profileInWords } from '../pages/profile.ts';
import { readerSections } from '../pages/reader-sections.ts';
import {
  goTo,
  isGone,
  type Reader,
  readReader,
  sendDeadLink,
  sendHtml,
  sendPage,
  TokenParams,
  visitOf,
  type Web,
} from '../web.ts';
import { LANGUAGE_CHOICES, LANGUAGE_TAGS } from './languages.ts';

/** One for each pause in typing. */
const PREVIEWS_PER_MINUTE = 240;
const PreviewQuery = Type.Object({ fragment: Type.Optional(Type.String({ maxLength: 5 })) });
const Notes = Type.Object({
  welcome: Type.Optional(Type.String({ maxLength: 5 })),
  saved: Type.Optional(Type.String({ maxLength: 5 })),
});

/** The preferences of a reader, behind the link of any mail. */
export const preferencesRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { subscribers } = web.deps;
    const schema = { params: TokenParams };

    app.get('/preferences/:token', { schema: { ...schema, querystring: Notes } }, async (request, reply) => {
      const reader = await readReader(web, request, 'preferences', request.params.token);
      if (!reader) return sendDeadLink(web, reply);
      const ties = await subscribers.followsOf(reader.subscriber.id);
      const { welcome, saved } = request.query;
      web.deps.preview
        .warm(reader.subscriber.timezone)
        .catch((error) => request.log.error(error, 'the preview was not made ready'));
      return sendPreferences(web, reply, request.params.token, reader, {
        values: preferencesValues(reader.subscriber, ties),
        faults: [],
        note: welcome ? 'welcome' : saved ? 'saved' : null,
      });
    });

    app.post(
      '/preferences/:token',
      { schema: { ...schema, body: PreferencesBody } },
      async (request, reply) => {
        const { token } = request.params;
        const reader = await readReader(web, request, 'preferences', token);
        if (!reader) return sendDeadLink(web, reply);
        const [catalogue, ties] = await Promise.all([
          web.deps.catalogue(),
          subscribers.followsOf(reader.subscriber.id),
        ]);
        const parsed = parsePreferences(request.body, { catalogue, languages: LANGUAGE_TAGS, ties });
        if (parsed.type === 'faults') {
          void reply.code(400);
          const view = { values: request.body, faults: parsed.faults, note: null };
          return sendPreferences(web, reply, token, reader, view);
        }
        const outcome = await subscribers.updatePreferences(reader.who, parsed, visitOf(request));
        return isGone(request, outcome)
          ? sendDeadLink(web, reply)
          : goTo(web, reply, `/preferences/${token}?saved=1`);
      },
    );

    app.post(
      '/preferences/:token/preview',
      {
        schema: { ...schema, body: PreferencesBody, querystring: PreviewQuery },
        config: { rateLimit: { max: PREVIEWS_PER_MINUTE, timeWindow: 60_000 } },
      },
      async (request, reply) => {
        const { token } = request.params;
        const reader = await readReader(web, request, 'preferences', token);
        if (!reader) return sendDeadLink(web, reply);
        const ties = await subscribers.followsOf(reader.subscriber.id);
        const catalogue = await web.deps.catalogue();
        const parsed = parsePreferences(request.body, { catalogue, languages: LANGUAGE_TAGS, ties });
        const isFragment = request.query.fragment !== undefined;
        if (parsed.type === 'faults') {
          if (isFragment) return sendHtml(reply, faultList(parsed.faults), 400);
          const view = { values: request.body, faults: parsed.faults, note: null };
          return sendPreferences(web, reply.code(400), token, reader, view);
        }
        const result = await web.deps.preview.preview(reader.subscriber.id, parsed);
        const preview = previewFragment(web.site, result, 'en');
        if (isFragment) return sendHtml(reply, preview);
        const view = { values: request.body, faults: [], note: null, preview };
        return sendPreferences(web, reply, token, reader, view);
      },
    );

    app.post('/preferences/:token/resume', { schema }, async (request, reply) => {
      const { token } = request.params;
      const reader = await readReader(web, request, 'preferences', token);
      if (!reader) return sendDeadLink(web, reply);
      const outcome = await subscribers.resume(reader.who, visitOf(request));
      return isGone(request, outcome)
        ? sendDeadLink(web, reply)
        : goTo(web, reply, `/preferences/${token}?saved=1`);
    });

    const AddressBody = Type.Object({ email: Type.String({ maxLength: 400 }) });
    app.post(
      '/preferences/:token/address',
      { schema: { ...schema, body: AddressBody } },
      async (request, reply) => {
        const reader = await readReader(web, request, 'preferences', request.params.token);
        if (!reader) return sendDeadLink(web, reply);
        const outcome = await subscribers.changeAddress(reader.who, request.body.email, visitOf(request));
        if (isGone(request, outcome)) return sendDeadLink(web, reply);
        return outcome.type === 'refused'
          ? sendPage(web, reply, ADDRESS_REFUSED, 400)
          : sendPage(web, reply, ADDRESS_ASKED);
      },
    );

    app.get('/preferences/:token/export', { schema }, async (request, reply) => {
      const reader = await readReader(web, request, 'preferences', request.params.token);
      if (!reader) return sendDeadLink(web, reply);
      const outcome = await subscribers.exportReader(reader.who);
      if (outcome.type !== 'ok') return sendDeadLink(web, reply);
      const { data } = outcome;
      const inWords = profileInWords(reader.subscriber, data, await web.deps.catalogue());
      const whole = { inWords, ...data, digests: await digestsOf(web, reader) };
      return reply
        .header('content-disposition', 'attachment; filename="paperboy.json"')
        .type('application/json; charset=utf-8')
        .send(`${JSON.stringify(whole, null, 2)}\n`);
    });

    registerErase(web, app);
    done();
  };

/** Every digest a reader was sent, with its papers by name. */
async function digestsOf(web: Web, { subscriber }: Reader) {
  const digests = await web.deps.archive(subscriber.id, Number.MAX_SAFE_INTEGER);
  const papers = await web.deps.papersByIds([...new Set(digests.flatMap(({ paperIds }) => paperIds))]);
  const byId = new Map(papers.map(({ id, identity, title }) => [id, { paper: identity, title }]));
  return digests.map(({ date, paperIds }) => ({
    date,
    papers: paperIds.flatMap((id) => byId.get(id) ?? []),
  }));
}

const ADDRESS_ASKED = messagePage('Check both mailboxes', [
  'We have written to your present address and to the new one. The subscription moves when both have agreed.',
]);
const ADDRESS_REFUSED = messagePage('That is no address we can use', [
  'Please go back and check it: name@example.org. Nothing was changed.',
]);
const ERASED = messagePage('Erased', [
  'Your address, your choices and everything learned from you are gone. No more mail will come.',
]);

/** Erasing asks for a ticked box: the one thing that can't be undone. */
function registerErase(web: Web, app: Parameters<ReturnType<typeof preferencesRoutes>>[0]): void {
  const EraseBody = Type.Object({ sure: Type.Optional(Type.String({ maxLength: 5 })) });
  app.post(
    '/preferences/:token/erase',
    { schema: { params: TokenParams, body: EraseBody } },
    async (request, reply) => {
      const reader = await readReader(web, request, 'preferences', request.params.token);
      if (!reader) return sendDeadLink(web, reply);
      if (!request.body.sure) return goTo(web, reply, `/preferences/${request.params.token}#erase`);
      const outcome = await web.deps.subscribers.erase(reader.who, visitOf(request));
      return isGone(request, outcome) ? sendDeadLink(web, reply) : sendPage(web, reply, ERASED);
    },
  );
}

async function sendPreferences(
  web: Web,
  reply: FastifyReply,
  token: string,
  reader: Reader,
  view: Pick<PreferencesView, 'values' | 'faults' | 'note'> & { readonly preview?: string },
): Promise<FastifyReply> {
  const catalogue = await web.deps.catalogue();
  const page = preferencesPage(web.site, {
    preview: '',
    ...view,
    token,
    subscriber: reader.subscriber,
    catalogue,
    languages: LANGUAGE_CHOICES,
    profile: profileInWords(
      reader.subscriber,
      await web.deps.subscribers.followsOf(reader.subscriber.id),
      catalogue,
    ),
    after: await readerSections(web, token, reader),
  });
  return sendPage(web, reply, page, reply.statusCode);
}
