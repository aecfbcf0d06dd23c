import { connect, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import tlsOptions from 'smtp-server/lib/tls-options.js';

/** TLS from the first octet in front of a server that knows none, with a certificate whose key everybody has. */
export type TlsCover = { readonly port: number; close(): Promise<void> };

/**
 * @param target port of the server on this machine
 * @param cut asked for each connection: true cuts it in the middle of its handshake. One that the server ends is ended without a goodbye
 *   (close_notify), as a connection that is lost is.
 */
export async function startTlsCover(target: number, cut: () => boolean): Promise<TlsCover> {
  const sockets = new Set<Socket>();
  const server = createServer((raw) => {
    sockets.add(raw);
    raw.on('error', () => undefined).on('close', () => sockets.delete(raw));
    if (cut()) return void raw.once('data', () => raw.destroy());
    const theirs = new TLSSocket(raw, { isServer: true, ...tlsOptions() });
    const ours = connect(target, '127.0.0.1');
    theirs.on('error', () => undefined);
    ours.on('error', () => undefined);
    theirs.on('close', () => ours.destroy());
    ours.on('close', () => raw.destroy());
    theirs.pipe(ours).pipe(theirs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
