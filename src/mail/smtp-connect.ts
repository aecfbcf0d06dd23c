import type { Socket } from 'node:net';
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

const CONNECT_MS = 30_000;
const GREETING_MS = 300_000;

/**
 * Connects to a relay. nodemailer does DNS, TLS, EHLO, STARTTLS and every way of AUTH; then the socket is taken from it
 * and the transactions are driven by smtp-session.ts. That leans on one member which is not public, `_socket`
 * (test/integration/smtp-connect.test.ts fails when a new nodemailer changes it).
 */
export function connectToRelay(relay: Relay): Promise<OpenedConnection | ConnectFault> {
  const connection = new SMTPConnection({
    host: relay.host,
    port: relay.port,
    secure: relay.implicitTls,
    requireTLS: !relay.implicitTls && relay.startTls === 'required',
    ignoreTLS: relay.startTls === 'never',
    // STARTTLS offered and then refused (454): goes on without, as where it isn't offered.
    opportunisticTLS: relay.startTls === 'offered',
    tls: { rejectUnauthorized: relay.verifyCertificate },
    connectionTimeout: CONNECT_MS,
    // RFC 5321 section 4.5.3.2.1: five minutes for the greeting.
    greetingTimeout: GREETING_MS,
    // The same for every later answer up to here, the TLS handshake included (nodemailer: ten minutes).
    socketTimeout: GREETING_MS,
    ...(relay.ehloName === undefined ? {} : { name: relay.ehloName }),
  });
  return new Promise((resolve) => {
    const fail = (error: FaultyConnection) => {
      connection.close();
      resolve(describeFault(error));
    };
    connection.once('error', fail);
    connection.connect((error) => {
      if (error) return fail(error);
      const extensions = parseExtensions(String(connection.lastServerResponse || ''));
      const ready = () => {
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
  const reply = error.message.replace(/\s+/g, ' ').slice(0, 300);
  const code = error.responseCode;
  const refused = error.code === 'EAUTH' && (code === undefined || code >= 500);
  return { type: refused ? 'refused' : 'unreachable', reply, ...(code === undefined ? {} : { code }) };
}

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
