import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ConnectFault, type ConnectTimes, connectToRelay } from './smtp-connect.ts';
import type { Relay } from './smtp-relay.ts';
import type { Extensions } from './smtp-wire.ts';

/** What a relay offers to who connects to it as delivery does. */
export type RelayProbe = {
  readonly type: 'connected';
  /** Milliseconds until it had greeted us, TLS and AUTH included. */
  readonly tookMs: number;
  /** Null: in the clear. `validTo`: the end of its certificate. */
  readonly tls: { readonly protocol: string; readonly validTo: Date | null } | null;
  readonly extensions: Extensions;
};

/** Less than usual: somebody waits. A server that holds its greeting back for six seconds against spam is not given up. */
const TIMES: ConnectTimes = { connect: 5_000, address: 1_000, setup: 8_000 };

/** Connects, with TLS and AUTH as for a digest, and says QUIT: nothing is mailed. */
export async function probeRelay(relay: Relay): Promise<RelayProbe | ConnectFault> {
  const start = performance.now();
  const opened = await connectToRelay(relay, TIMES);
  if ('type' in opened) return opened;
  const { socket, extensions } = opened;
  const tookMs = performance.now() - start;
  const tls = tlsOf(socket);
  await quit(socket);
  return { type: 'connected', tookMs, tls, extensions };
}

function tlsOf(socket: Socket): RelayProbe['tls'] {
  if (!(socket instanceof TLSSocket)) return null;
  const { valid_to: end } = socket.getPeerCertificate();
  return { protocol: socket.getProtocol() ?? 'TLS', validTo: end ? new Date(end) : null };
}

/** Whoever does not say goodbye within a second is hung up on. */
const quit = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), 1_000);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('error', () => undefined);
    socket.once('data', () => socket.destroy());
    socket.resume();
    socket.write('QUIT\r\n');
  });
