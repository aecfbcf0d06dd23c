import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';

/** One thing that is wrong with a request. */
export const Fault = Type.Object({ field: Type.String(), message: Type.String() });

/** Problem Details for HTTP APIs (RFC 9457). */
export const Problem = Type.Object({
  type: Type.String({ description: 'Always about:blank: the status says what kind of problem it is.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String({ description: 'What is wrong, and how to mend it.' })),
  errors: Type.Optional(
    Type.Array(Fault, {
      description: 'Each thing that is wrong with the request.',
    }),
  ),
});

/** See {@link Problem}. */
export type Problem = Static<typeof Problem>;

/** Answers of every operation that say what was wrong with the request, for the `response` of its schema. */
export const FAULTS = {
  '4xx': {
    description: 'What is wrong with the request',
    content: { 'application/problem+json': { schema: Problem } },
  },
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  429: 'Too many requests',
  500: 'Internal server error',
};

/** Sends a problem. */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  detail?: string,
  errors?: Problem['errors'],
): FastifyReply {
  const problem = { type: 'about:blank', title: TITLES[status] ?? 'Problem', status, detail, errors };
  return reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** Every fault of the API as a problem; those of ours are logged and shown without detail. */
export function registerProblems(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, 'There is no such resource.'));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      request.log.error(error, 'an API request failed');
      return sendProblem(reply, 500, 'It was noted. Nothing was changed; please try again.');
    }
    const errors = error.validation?.map((fault) => ({
      field: `${error.validationContext ?? 'request'}${fault.instancePath.replaceAll('/', '.')}`,
      message: fault.message ?? 'is not accepted',
    }));
    return sendProblem(reply, status, errors ? 'The request has faults.' : error.message, errors);
  });
}
