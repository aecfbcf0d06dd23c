import { createServer } from 'node:net';

/** True when nothing listens on `host`:`port`. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((settle) => {
    const probe = createServer();
    probe.once('error', () => settle(false));
    probe.listen(port, host, () => probe.close(() => settle(true)));
  });
}

/** A TCP port of 127.0.0.1 that nothing listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((settle, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => settle(port));
    });
  });
}

/**
 * The wanted port, or when it is taken and `fixed` is not set the next free one.
 * @throws Error naming the `setting` when nothing fits
 */
export async function choosePort(
  wanted: number,
  options: { fixed: boolean; setting: string; host?: string },
): Promise<number> {
  const last = options.fixed ? wanted : Math.min(wanted + 50, 65_535);
  for (let port = wanted; port <= last; port++) if (await isFree(port, options.host)) return port;
  throw new Error(`Port ${wanted} is taken by another program: set ${options.setting} to a free one.`);
}
