import { connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server that can swallow what one side says and keep its connections open, which TCP never notices. */
export type SilentProxy = {
  /** `url`, but through the proxy. */
  readonly url: string;
  /** Whose octets are swallowed from now on; undefined: nobody's, of connections that have lost none. */
  silent: 'server' | 'client' | undefined;
  /** Port of the server that new connections are passed on to; old ones stay where they are. */
  port: number;
  close(): Promise<void>;
};

/** Starts a proxy in front of the server of `url` (any scheme, with a host and a port). */
export async function startSilentProxy(url: string): Promise<SilentProxy> {
  const target = new URL(url);
  const { hostname } = target;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(proxy.port, hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    // What lost octets once is never whole again: it stays silent.
    let lost = false;
    const pass = (octets: Buffer, side: 'server' | 'client', to: Socket) => {
      lost ||= proxy.silent === side;
      if (!lost) to.write(octets);
    };
    near.on('data', (octets) => pass(octets, 'client', far)).on('close', () => far.destroy());
    far.on('data', (octets) => pass(octets, 'server', near)).on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = Number(target.port);
  target.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const proxy: SilentProxy = {
    url: target.href,
    silent: undefined,
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
