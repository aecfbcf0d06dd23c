import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a path of the server does. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, visit: number) => void;

/** A server that misbehaves as told, on 127.0.0.1. */
export type FaultServer = {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Visits per path so far, with the headers sent. */
  readonly visits: Map<string, IncomingMessage['headers'][]>;
  close(): Promise<void>;
};

/** Starts it. Paths are compared without their query; unknown ones answer 404. */
export async function startFaultServer(paths: Readonly<Record<string, Behaviour>>): Promise<FaultServer> {
  const visits: FaultServer['visits'] = new Map();
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const seen = visits.get(path) ?? [];
    visits.set(path, [...seen, request.headers]);
    response.on('error', () => undefined);
    const behave = paths[path] ?? ((_, answer) => answer.writeHead(404).end('nothing here'));
    behave(request, response, seen.length + 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
