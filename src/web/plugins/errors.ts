import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messagePage, wayOn } from '../pages/message.ts';
import { sendPage, type Web } from '../web.ts';

/** What people are told of a fault they can mend, by status. */
const EXPLANATIONS: Readonly<Record<number, readonly [title: string, text: string]>> = {
  400: ['That did not work', 'Something in the request was not understood'],
  403: ['That came from another site', 'Please use the form on our own page'],
  404: ['There is nothing here', 'The page may have moved, or the address has a typing error'],
  405: ['That can’t be done here', 'Please use the form of the page'],
  413: ['That is too much', 'Please send less at once'],
  414: ['That address is too long', 'Please check it'],
  415: ['That form is not understood', 'Please use the form of the page'],
  429: ['That was a lot at once', 'Please wait a minute and try again'],
};

/** Sends a page for a fault: what is wrong, and the way on. */
export function sendFault(web: Web, reply: FastifyReply, status: number, detail = ''): FastifyReply {
  const [title, text] = EXPLANATIONS[status] ?? EXPLANATIONS[400] ?? ['', ''];
  const sentence = detail ? `${text}: ${detail}.` : `${text}.`;
  const links = wayOn(web.site, [
    ['/', 'To today’s papers'],
    ['/topics', 'To the topics'],
  ]);
  return sendPage(web, reply, messagePage(title, [sentence], links), status);
}

/** Pages for everything that goes wrong; faults of ours are logged and shown without detail. */
export function registerErrors(web: Web, app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) => sendFault(web, reply, 404));
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) {
      request.log.info({ fault: error.code, status }, 'a request was refused');
      return sendFault(web, reply, status, error.validation ? describe(error) : '');
    }
    request.log.error(error, 'a request failed');
    const page = messagePage('Something broke on our side', [
      'It was noted. Nothing of yours is lost; please try again in a moment.',
    ]);
    return sendPage(web, reply, page, 500);
  });
}

/** "hour must be <= 23": field and rule, without what was typed. */
const describe = (error: FastifyError): string =>
  (error.validation ?? [])
    .map((fault) => `${fault.instancePath.slice(1).replaceAll('/', '.')} ${fault.message}`.trim())
    .join('; ');
