import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { indexPage, type PreviewEntry, readBack } from '#src/mail/preview/entry.ts';
import type { PreviewMessage } from '#src/mail/preview/messages.ts';
import { DIGEST_POLICY } from '../plugins/security.ts';
import { sendHtml, type Web } from '../web.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  eml: 'text/plain; charset=us-ascii',
};

/** Every mail in every language, with sample papers: for whoever works on them. Only where mails go to the local mailbox. */
export const mailRoutes =
  (web: Web, previews: () => AsyncIterable<PreviewMessage>): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get('/mails', async (_request, reply) => {
      const entries: PreviewEntry[] = [];
      for await (const message of previews()) entries.push((await readBack(message)).entry);
      return sendHtml(
        reply.header('content-security-policy', DIGEST_POLICY),
        indexPage(entries, `${web.site.base}/mails/`),
      );
    });

    app.get(
      '/mails/:file',
      { schema: { params: Type.Object({ file: Type.String({ maxLength: 100 }) }) } },
      async (request, reply) => {
        const { file } = request.params;
        for await (const message of previews()) {
          if (!file.startsWith(`${message.name}.${message.language}.`)) continue;
          const content = (await readBack(message)).contents.get(file);
          const type = TYPES[file.slice(file.lastIndexOf('.') + 1)];
          if (content === undefined || type === undefined) break;
          return reply.header('content-security-policy', DIGEST_POLICY).type(type).send(content);
        }
        return reply.callNotFound();
      },
    );
    done();
  };
