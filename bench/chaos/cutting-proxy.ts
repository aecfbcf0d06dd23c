import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that cuts connections: before what it was given is passed on, or after, so that no answer ever comes. */
export type CuttingProxy = {
  readonly port: number;
  /** Chance of a cut for each piece that passes. */
  chance: number;
  /** Cuts so far. */
  readonly cuts: number;
  close(): Promise<void>;
};

/** Starts a proxy to `port` of this machine. @param random uniform in [0, 1) */
export async function startCuttingProxy(port: number, random: () => number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const proxy = { port: 0, chance: 0, cuts: 0, close: async () => undefined as void };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', cut).on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    const pass = (to: Socket) => (piece: Buffer) => {
      if (random() >= proxy.chance) return void to.write(piece);
      proxy.cuts += 1;
      if (random() < 0.5) return cut();
      // It arrives (a COMMIT, perhaps), but whoever sent it never hears of it.
      to.write(piece, () => setTimeout(cut, 2));
    };
    near.on('data', pass(far));
    far.on('data', pass(near));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = (server.address() as { port: number }).port;
  proxy.close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return proxy;
}
