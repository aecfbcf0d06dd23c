import type { FastifyReply, FastifyRequest } from 'fastify';

/** A body with its encodings made beforehand. */
export type Encoded = { readonly plain: Buffer; readonly br: Buffer; readonly gzip: Buffer };

/** Sends a body in the best encoding that the client takes. */
export function sendEncoded(request: FastifyRequest, reply: FastifyReply, body: Encoded): FastifyReply {
  const accepts = request.headers['accept-encoding'] ?? '';
  void reply.header('vary', 'accept-encoding');
  if (accepts.includes('br')) return reply.header('content-encoding', 'br').send(body.br);
  if (accepts.includes('gzip')) return reply.header('content-encoding', 'gzip').send(body.gzip);
  return reply.send(body.plain);
}
