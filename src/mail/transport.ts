import type { MailTransport, OutgoingMessage, SendOutcome } from './message.ts';
import { type ConnectFault, connectToRelay, type OpenedConnection } from './smtp-connect.ts';
import type { Relay } from './smtp-relay.ts';
import {
  createSmtpSession,
  RFC_TIMEOUTS,
  type SmtpJob,
  type SmtpSession,
  type SmtpTimeouts,
} from './smtp-session.ts';

/** A message that waits for a connection. */
type Waiting = {
  readonly message: OutgoingMessage;
  readonly handOver: () => boolean | Promise<boolean>;
  readonly onContent: () => boolean;
  readonly resolve: (outcome: SendOutcome) => void;
  /** Connections that ended before its content was written. */
  losses: number;
  /** `handOver` said yes: it isn't asked again on the next connection. */
  handedOver: boolean;
};

/** A message is tried on so many connections that end before its turn, then it is deferred. */
const MAX_LOSSES = 3;
/** After a failed connect, the next one waits: doubling from the first to the last, in milliseconds. */
const RECONNECT_MS = { first: 250, last: 30_000 };

/** What {@link createMailTransport} takes. */
export type TransportOptions = {
  readonly relay: Relay;
  /** Connections at once at most. */
  readonly connections: number;
  /** Messages per connection, then QUIT (default 1,000; some relays cut at 100). */
  readonly messagesPerConnection?: number;
  /** An idle connection is kept this long, in milliseconds (default 20 s). */
  readonly idleMs?: number;
  readonly timeouts?: SmtpTimeouts;
  readonly connect?: (relay: Relay) => Promise<OpenedConnection | ConnectFault>;
};

/**
 * Sends messages to one relay over several connections, which are opened as needed and reused. Messages leave in the
 * order of {@link MailTransport.send}.
 */
export function createMailTransport(options: TransportOptions): MailTransport {
  const connect = options.connect ?? connectToRelay;
  const limit = Math.min(options.connections, options.relay.connections ?? Number.POSITIVE_INFINITY);
  const waiting: Waiting[] = [];
  const ready: Waiting[] = [];
  const sessions = new Map<SmtpSession, { idleSince: number | null }>();
  let connecting = 0;
  let asking = 0;
  let failures = 0;
  let blockedUntil = 0;
  let fault: ConnectFault = { type: 'unreachable', reply: 'not connected' };
  let closing = false;

  /** The next message whose hand-over is settled; those that must ask the ledger first do so meanwhile. */
  const take = (): Waiting | undefined => {
    const settled = ready.shift();
    if (settled) return settled;
    // Every session that waits may have one message asking.
    while (asking <= limit) {
      const next = waiting.shift();
      if (!next) return undefined;
      const answer = next.handedOver || askHandOver(next);
      if (answer === true) {
        next.handedOver = true;
        return next;
      }
      if (answer === false) next.resolve({ type: 'deferred', reply: 'not handed over' });
    }
    return undefined;
  };

  /** Answers at once where the ledger was told before; otherwise null, and the message is ready later. */
  const askHandOver = (next: Waiting): boolean | null => {
    const answer = next.handOver();
    if (typeof answer === 'boolean') return answer;
    void settleHandOver(next, answer);
    return null;
  };

  const settleHandOver = async (next: Waiting, answer: Promise<boolean>) => {
    asking += 1;
    try {
      next.handedOver = await answer;
      if (next.handedOver) ready.push(next);
      else next.resolve({ type: 'deferred', reply: 'not handed over' });
    } catch (error) {
      next.resolve({ type: 'deferred', reply: `hand-over failed: ${String(error)}` });
    }
    asking -= 1;
    pump();
  };

  const toJob = (item: Waiting): SmtpJob => ({
    message: item.message,
    onContent: item.onContent,
    done: (result) => {
      if (result.type !== 'untouched') return item.resolve(result);
      item.losses += 1;
      if (item.losses >= MAX_LOSSES || result.reply === 'not handed over')
        return item.resolve({ type: 'deferred', reply: result.reply });
      ready.push(item);
    },
  });

  const pump = () => {
    for (const [session, state] of sessions) {
      if (!session.idle) continue;
      const item = take();
      if (!item) break;
      state.idleSince = null;
      session.start(toJob(item));
    }
    const queued = waiting.length + ready.length;
    const free = [...sessions.keys()].filter((session) => session.idle).length;
    const wanted = Math.min(queued - free - connecting, limit - sessions.size - connecting);
    for (let i = 0; i < wanted; i++) openConnection();
  };

  const openConnection = () => {
    if (closing) return;
    if (performance.now() < blockedUntil) return deferAll();
    connecting += 1;
    connect(options.relay)
      .then((opened) => {
        connecting -= 1;
        if ('socket' in opened) return addSession(opened);
        connectFailed(opened);
      })
      .catch((error: unknown) => {
        connecting -= 1;
        connectFailed({ type: 'unreachable', reply: String(error) });
      });
  };

  const connectFailed = (failed: ConnectFault) => {
    fault = failed;
    failures += 1;
    const pause = Math.min(RECONNECT_MS.first * 2 ** (failures - 1), RECONNECT_MS.last);
    blockedUntil = performance.now() + pause;
    deferAll();
  };

  /** Nothing can be sent now: what waits is told so, unless a connection still lives. */
  const deferAll = () => {
    if (sessions.size > 0 || connecting > 0) return;
    const outcome: SendOutcome =
      fault.type === 'refused'
        ? { type: 'sender-rejected', reply: fault.reply, code: fault.code ?? 535 }
        : {
            type: 'deferred',
            reply: `${options.relay.name}: ${fault.reply}`,
          };
    for (const item of [...ready.splice(0), ...waiting.splice(0)]) item.resolve(outcome);
  };

  const addSession = ({ socket, extensions }: OpenedConnection) => {
    if (closing) return void socket.destroy();
    failures = 0;
    blockedUntil = 0;
    const session = createSmtpSession({
      socket,
      extensions,
      timeouts: options.timeouts ?? RFC_TIMEOUTS,
      maxMessages: options.messagesPerConnection ?? 1_000,
      take: () => {
        const item = take();
        return item && toJob(item);
      },
      onIdle: () => {
        const state = sessions.get(session);
        if (state) state.idleSince = performance.now();
      },
      onClosed: () => {
        sessions.delete(session);
        // What it had not begun is in `ready` again: later, so that the caller's state is settled.
        setImmediate(pump);
      },
    });
    sessions.set(session, { idleSince: performance.now() });
    pump();
  };

  const timer = setInterval(() => {
    const now = performance.now();
    for (const [session, { idleSince }] of sessions) {
      session.checkTime(now);
      if (session.idle && idleSince !== null && now - idleSince > (options.idleMs ?? 20_000))
        session.quit().catch(() => undefined);
    }
    pump();
  }, 1_000);
  timer.unref();

  return {
    send: (message, handOver, onContent = () => true) =>
      new Promise<SendOutcome>((resolve) => {
        if (closing) return resolve({ type: 'deferred', reply: 'shutting down' });
        waiting.push({ message, handOver, onContent, resolve, losses: 0, handedOver: false });
        // One look for all that are sent in the same turn.
        if (waiting.length === 1) queueMicrotask(pump);
      }),
    close: async () => {
      closing = true;
      await Promise.all([...sessions.keys()].map((session) => session.quit()));
      clearInterval(timer);
      for (const item of [...ready.splice(0), ...waiting.splice(0)])
        item.resolve({ type: 'deferred', reply: 'shutting down' });
    },
  };
}
