import { type LookupAddress, lookup } from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { Relay } from './smtp-relay.ts';
import { type Extensions, parseExtensions } from './smtp-wire.ts';

/** A connection that has been greeted, secured and logged in to, and now is ours. */
export type OpenedConnection = { readonly socket: Socket; readonly extensions: Extensions };

/** Why there is no connection. `refused`: the relay rejects our credentials, trying again is of no use. */
export type ConnectFault = {
  readonly type: 'unreachable' | 'refused';
  readonly reply: string;
  readonly code?: number;
};

/** How long connecting may take, in milliseconds. */
export type ConnectTimes = {
  /** For the TCP connection, whatever addresses the name has. */
  readonly connect: number;
  /** For one address where there is another. */
  readonly address: number;
  /**
   * From then until we are logged in. All of it together takes no longer, so that a server that answers an octet now and then
   * does not hold a connection for ever.
   */
  readonly setup: number;
};

/** RFC 5321 section 4.5.3.2.1 gives five minutes to the greeting alone. */
const TIMES: ConnectTimes = { connect: 30_000, address: 1_000, setup: 300_000 };

/**
 * Connects to a relay. We open the socket; nodemailer does TLS, EHLO, STARTTLS and every way of AUTH; then the socket is taken
 * from it and the transactions are driven by smtp-session.ts. That leans on one member which is not public, `_socket`
 * (test/integration/smtp-connect.test.ts fails when a new nodemailer changes it).
 *
 * nodemailer's own connecting counts the greeting into the time for connecting, and remembers addresses for five minutes, dead or not.
 */
export async function connectToRelay(
  relay: Relay,
  times: ConnectTimes = TIMES,
): Promise<OpenedConnection | ConnectFault> {
  const socket = await openSocket(relay, times);
  return socket instanceof Error ? describeFault(socket) : introduce(relay, socket, times.setup);
}

/** Tries the addresses of the relay in turn. */
function openSocket({ host, port }: Relay, times: ConnectTimes): Promise<Socket | Error> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, lookup: lookUp, autoSelectFamilyAttemptTimeout: times.address });
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(error);
    };
    const timer = setTimeout(() => fail(new Error('Connection timeout')), times.connect);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}

/** Where names were last, by name. */
const lastKnown = new Map<string, LookupAddress[]>();

/** Asks each time, for relays move; while nobody answers for a name it is where it was. */
const lookUp: LookupFunction = (host, options, callback) =>
  lookup(host, { ...options, all: true }, (error, found) => {
    if (!error) lastKnown.set(host, found);
    const addresses = error ? lastKnown.get(host) : found;
    const [first] = addresses ?? [];
    if (!addresses || !first) return callback(error, []);
    if (options.all) return callback(null, addresses);
    callback(null, first.address, first.family);
  });

function introduce(
  relay: Relay,
  connected: Socket,
  setupMs: number,
): Promise<OpenedConnection | ConnectFault> {
  const connection = new SMTPConnection({
    connection: connected,
    host: relay.host,
    port: relay.port,
    secure: relay.implicitTls,
    requireTLS: !relay.implicitTls && relay.startTls === 'required',
    ignoreTLS: relay.startTls === 'never',
    // STARTTLS offered and then refused (454): goes on without, as where it isn't offered.
    opportunisticTLS: relay.startTls === 'offered',
    tls: { rejectUnauthorized: relay.verifyCertificate },
    connectionTimeout: setupMs,
    greetingTimeout: setupMs,
    socketTimeout: setupMs,
    ...(relay.ehloName === undefined ? {} : { name: relay.ehloName }),
  });
  return new Promise((resolve) => {
    const fail = (error: FaultyConnection) => {
      clearTimeout(timer);
      connection.close();
      connected.destroy();
      resolve(describeFault(error));
    };
    const timer = setTimeout(() => fail(new Error('it did not let us in in time')), setupMs);
    connection.once('error', fail);
    connection.connect((error) => {
      if (error) return fail(error);
      const extensions = parseExtensions(String(connection.lastServerResponse || ''));
      const ready = () => {
        clearTimeout(timer);
        connection.removeListener('error', fail);
        resolve({ socket: takeSocket(connection), extensions });
      };
      if (!relay.auth) return ready();
      const { user, password, method } = relay.auth;
      connection.login({ user, pass: password, ...(method ? { method } : {}) }, (failed) =>
        failed ? fail(failed) : ready(),
      );
    });
  });
}

type FaultyConnection = Error & { code?: string | undefined; responseCode?: number | undefined };

function describeFault(error: FaultyConnection): ConnectFault {
  // Where a name has several addresses each has its own words, and all together have none.
  const words = error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : error.message;
  const reply = words.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 300);
  const code = error.responseCode;
  const refused = error.code === 'EAUTH' && (code === undefined || code >= 500);
  return { type: refused ? 'refused' : 'unreachable', reply, ...(code === undefined ? {} : { code }) };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** From here on nodemailer neither reads nor times out. What it does on the socket's end does no harm. */
function takeSocket(connection: SMTPConnection): Socket {
  const socket = connection._socket;
  if (!socket) throw new Error('nodemailer gave no socket: src/mail/smtp-connect.ts needs a look');
  connection.on('error', () => undefined);
  socket.removeAllListeners('data');
  socket.removeAllListeners('timeout');
  socket.setTimeout(0);
  socket.setNoDelay(true);
  return socket;
}
