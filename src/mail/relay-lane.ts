import type { SendOutcome } from './message.ts';
import type { ConnectFault, OpenedConnection } from './smtp-connect.ts';
import type { SmtpJob } from './smtp-job.ts';
import type { Relay } from './smtp-relay.ts';
import { createSmtpSession, type SmtpSession } from './smtp-session.ts';
import type { SmtpTimeouts } from './smtp-timeouts.ts';

/** Why a relay takes nothing now. */
export type LaneFault = ConnectFault & { readonly until: number };

/** The connections to one relay, with its circuit breaker. */
export type RelayLane = {
  readonly relay: Relay;
  /** Lets idle connections begin, and opens more of them while messages wait. */
  pump(queued: number, urgent: boolean): void;
  /** Null while the relay is thought to work. After a failed connect, one attempt at a time finds out. */
  fault(): LaneFault | null;
  /** This relay refuses us as a sender: leave it alone for `ms` milliseconds. */
  refuse(reply: string, code: number, ms: number): void;
  /** Connections that are open or being opened. */
  busy(): number;
  /** Looks at the time: silent servers, idle connections. */
  tick(now: number): void;
  /** Finishes what is in flight and says QUIT; cuts what takes longer than its time. */
  close(): Promise<void>;
};

/** What {@link createRelayLane} needs. */
export type LaneDependencies = {
  readonly relay: Relay;
  /** Connections at once at most; urgent messages may use {@link URGENT_CONNECTIONS} more. */
  readonly limit: number;
  readonly messagesPerConnection: number;
  readonly idleMs: number;
  /**
   * A connection whose server has said nothing for this long while we wait, in milliseconds, is waited for (RFC 5321: up to ten
   * minutes), but another one takes its place: at most {@link LaneDependencies.limit} more.
   */
  readonly stuckMs: number;
  readonly timeouts: SmtpTimeouts;
  readonly closeMs: number;
  connect(relay: Relay): Promise<OpenedConnection | ConnectFault>;
  /** The next message for this relay, if one is ready now; `urgentOnly`: and is urgent. */
  take(lane: RelayLane, urgentOnly: boolean): SmtpJob | undefined;
  /** Something changed: a connection came or went. */
  onChange(): void;
  /** Told once when a connection can't be had any more (what it said), and once when it can again (null). */
  onReach?(fault: string | null): void;
};

/** Extra connections that a confirmation may open while all others are busy with digests. */
export const URGENT_CONNECTIONS = 2;
/** While an urgent message waits another connection takes the place of one that is silent for this long already, in milliseconds. */
const URGENT_STUCK_MS = 3_000;
/** The breaker: after a failed connect the next one waits, doubling from the first to the last; milliseconds. */
const RECONNECT_MS = { first: 250, last: 30_000 };
/** A connection is left before its time where its server has begun so many messages on others while it said nothing. */
const SERVED = 10;
/** Attempts that must fail in a row before anybody is told. */
const TELL_AFTER = 3;

/** Opens the lane of one relay; it connects when there is something to send. */
export function createRelayLane(deps: LaneDependencies): RelayLane {
  const { relay } = deps;
  /** `served`: messages begun on all connections when this one was given its last; `extra`: opened beyond the limit. */
  type State = { idleSince: number | null; served: number; readonly extra: boolean };
  const sessions = new Map<SmtpSession, State>();
  let served = 0;
  /** When each attempt that is under way began, of `performance.now()`. */
  const attempts = new Set<{ readonly since: number }>();
  let failures = 0;
  let blocked: LaneFault | null = null;
  let closing = false;
  /** What the relay offers and does not know. */
  const unknown = new Set<'chunking' | 'size'>();
  let told = false;

  const silenceOf = (urgent: boolean) => (urgent ? Math.min(URGENT_STUCK_MS, deps.stuckMs) : deps.stuckMs);

  const isBlocked = () => blocked !== null && performance.now() < blocked.until;

  /** What was opened beyond the limit is for urgent messages: given digests as well, it would be busy, or hang, when the next one comes. */
  const isCrowded = () =>
    sessions.size > deps.limit && sessions.size - census(performance.now(), deps.stuckMs).stuck > deps.limit;

  const takeJob = (state: State) => {
    const job = deps.take(lane, state.extra && isCrowded());
    if (job) state.served = ++served;
    return job;
  };

  const startIdle = () => {
    for (const [session, state] of sessions) {
      if (!session.idle) continue;
      const job = takeJob(state);
      if (!job) continue;
      state.idleSince = null;
      session.start(job);
    }
  };

  const openConnection = async () => {
    const attempt = { since: performance.now() };
    attempts.add(attempt);
    const opened = await deps
      .connect(relay)
      .catch((error: unknown): ConnectFault => ({ type: 'unreachable', reply: String(error) }));
    attempts.delete(attempt);
    if (!('socket' in opened)) connectFailed(opened);
    else if (closing) opened.socket.destroy();
    else addSession(opened);
    deps.onChange();
  };

  const connectFailed = (fault: ConnectFault) => {
    failures += 1;
    // One that lets us in with fewer connections than we would like is in reach.
    if (!told && failures >= TELL_AFTER && sessions.size === 0) {
      told = true;
      deps.onReach?.(fault.reply);
    }
    const pause = Math.min(RECONNECT_MS.first * 2 ** (failures - 1), RECONNECT_MS.last);
    blocked = { ...fault, reply: `${relay.name}: ${fault.reply}`, until: performance.now() + pause };
  };

  /** Being let in is not enough: there are relays that then say 421, or hang up, to whatever they are given. */
  const works = () => {
    if (failures === 0) return;
    failures = 0;
    if (told) deps.onReach?.(null);
    told = false;
    // A refusal of us as a sender is not taken back by a connection that was under way.
    if (blocked?.type === 'unreachable') blocked = null;
  };

  const addSession = ({ socket, extensions }: OpenedConnection) => {
    const state: State = {
      idleSince: performance.now(),
      served,
      extra: sessions.size - census(performance.now(), deps.stuckMs).stuck >= deps.limit,
    };
    const session = createSmtpSession({
      socket,
      extensions: {
        ...extensions,
        chunking: extensions.chunking && !unknown.has('chunking'),
        size: extensions.size && !unknown.has('size'),
      },
      timeouts: deps.timeouts,
      maxMessages: deps.messagesPerConnection,
      stuckMs: (job) => silenceOf(job.urgent === true),
      take: () => {
        if (session.answered) works();
        return takeJob(state);
      },
      onIdle: () => {
        if (session.answered) works();
        state.idleSince = performance.now();
      },
      onUnknown: (extension) => void unknown.add(extension),
      onClosed: (reason, fruitless) => {
        sessions.delete(session);
        if (session.answered) works();
        if (fruitless && !closing) connectFailed({ type: 'unreachable', reply: reason });
        // Later, so that whoever cut it has settled its own state.
        setImmediate(() => deps.onChange());
      },
    });
    sessions.set(session, state);
  };

  /** How many connections wait for messages, are being opened, have not shown yet that they work, and are stuck. */
  const census = (now: number, silence: number) => {
    const opened = [...sessions.keys()];
    const isStuck = (session: SmtpSession) => session.waitingMs(now) > silence;
    const connecting = [...attempts].filter(({ since }) => now - since <= silence).length;
    return {
      idle: opened.filter((session) => session.idle).length,
      connecting,
      untried: opened.filter((session) => !session.answered && !isStuck(session)).length,
      stuck: opened.filter(isStuck).length + attempts.size - connecting,
    };
  };

  const lane: RelayLane = {
    relay,
    pump: (queued, urgent) => {
      if (closing) return;
      // What is open works, whatever befell the last attempt to open another.
      startIdle();
      if (isBlocked()) return;
      const { idle, connecting, untried, stuck } = census(performance.now(), silenceOf(urgent));
      const limit = deps.limit + (urgent ? URGENT_CONNECTIONS : 0) + Math.min(stuck, deps.limit);
      // While it is not known to work again, one attempt is enough.
      const allowed = failures > 0 ? 1 - connecting - untried : limit - sessions.size - attempts.size;
      const wanted = Math.min(queued - idle - connecting, allowed);
      for (let i = 0; i < wanted; i++) void openConnection();
    },
    fault: () => (isBlocked() ? blocked : null),
    refuse: (reply, code, ms) => {
      blocked = { type: 'refused', reply, code, until: performance.now() + ms };
    },
    busy: () => sessions.size + attempts.size,
    tick: (now) => {
      for (const [session, state] of sessions) {
        const { idleSince } = state;
        session.checkTime(now);
        // RFC 5321 gives it five minutes; that it serves others meanwhile shows that this connection is what is broken.
        if (served - state.served >= SERVED) session.leaveStuck(now, deps.stuckMs);
        if (session.idle && idleSince !== null && now - idleSince > deps.idleMs)
          session.quit().catch(() => undefined);
      }
    },
    close: async () => {
      closing = true;
      const limit = setTimeout(() => {
        for (const session of sessions.keys()) session.destroy('shutting down');
      }, deps.closeMs);
      await Promise.all([...sessions.keys()].map((session) => session.quit()));
      clearTimeout(limit);
    },
  };
  return lane;
}

/** The outcome of a message that no relay takes now. */
export function outcomeOf(fault: ConnectFault): SendOutcome {
  return fault.type === 'refused'
    ? { type: 'sender-rejected', reply: fault.reply, code: fault.code ?? 535 }
    : { type: 'deferred', reply: fault.reply };
}
