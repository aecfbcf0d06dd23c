import {
  type MailTransport,
  messageOf,
  type OutgoingMessage,
  type SendOutcome,
  SHUTTING_DOWN,
} from './message.ts';
import { createMessageLine, type Waiting } from './message-line.ts';
import { createRelayLane, outcomeOf, type RelayLane } from './relay-lane.ts';
import type { RelayPermits } from './relay-permits.ts';
import { type ConnectFault, connectToRelay, type OpenedConnection } from './smtp-connect.ts';
import type { JobResult, SmtpJob } from './smtp-job.ts';
import type { Relay } from './smtp-relay.ts';
import { RFC_TIMEOUTS, type SmtpTimeouts } from './smtp-timeouts.ts';

type Item = Waiting<RelayLane>;

/** A message is tried on so many connections that end before its turn, then it is deferred. */
const MAX_LOSSES = 5;
/** A relay that has refused so many messages in a row, whoever they were for, is believed no more: another one is asked as well. */
const BELIEVED = 2;
/** A relay that refuses us as a sender is left alone for this long while others work, in milliseconds. */
const REFUSED_MS = 15 * 60_000;

/** What {@link createMailTransport} takes. */
export type TransportOptions = {
  /** At least one. Each gets connections by its weight; when one is out of reach the others take its messages. */
  readonly relays: readonly Relay[];
  /** Connections at once at most, over all relays. */
  readonly connections: number;
  /** Messages per connection, then QUIT (default 1,000; some relays cut at 100). */
  readonly messagesPerConnection?: number;
  /** An idle connection is kept this long, in milliseconds (default 20 s). */
  readonly idleMs?: number;
  /** A connection that is silent for so long, in milliseconds, doesn't count among those allowed (default 30 s). */
  readonly stuckMs?: number;
  /** How long a message waits while every relay is out of reach, in milliseconds (default 5 s); then it is deferred. */
  readonly patienceMs?: number;
  readonly timeouts?: SmtpTimeouts;
  /** How long closing waits for messages on the wire, in milliseconds (default 20 s); then they are `unknown`. */
  readonly closeMs?: number;
  readonly connect?: (relay: Relay) => Promise<OpenedConnection | ConnectFault>;
  /** The permits of a relay that takes so many messages a minute only; `onMore` is to be called when there are more. */
  readonly permits?: (relay: Relay, onMore: () => void) => RelayPermits | undefined;
  /** Told once when a relay refuses us as a sender although others still work. */
  readonly onRefused?: (relay: Relay, reply: string) => void;
  /** Told once when a relay can't be reached any more (why), and once when it can again (null). */
  readonly onReach?: (relay: Relay, fault: string | null) => void;
};

/**
 * Sends messages to one relay or several, over connections that are opened as needed and reused. Messages leave in the
 * order of {@link MailTransport.send}, urgent ones first.
 * @throws RangeError without a relay
 */
export function createMailTransport(options: TransportOptions): MailTransport {
  if (options.relays.length === 0) throw new RangeError('a transport needs at least one relay');
  const line = createMessageLine<RelayLane>({
    // Every connection that waits may have one message asking.
    asking: options.connections,
    onReady: () => pump(),
  });
  let closing = false;

  /** The next message, put together; one that can't be is put off. */
  const takeMessage = (
    lane: RelayLane,
    urgentOnly: boolean,
  ): { item: Item; message: OutgoingMessage } | undefined => {
    for (let item = line.take(lane, urgentOnly); item; item = line.take(lane, urgentOnly)) {
      try {
        return { item, message: messageOf(item.mail) };
      } catch (error) {
        item.resolve({ type: 'deferred', reply: `could not be composed: ${String(error)}` });
      }
    }
    return undefined;
  };

  const toJob = (item: Item, message: OutgoingMessage, lane: RelayLane): SmtpJob => {
    let begun = false;
    return {
      message,
      losses: item.losses,
      urgent: item.options.urgent === true,
      onContent: () => (begun = item.options.onContent?.() ?? true),
      done: (result) => {
        if (result.type === 'sender-rejected') return refused(item, lane, result);
        const said = doubted(lane, result);
        if (said.type !== 'untouched' && said.type !== 'unfit') return item.resolve(said);
        if (begun) item.options.onRefusal?.();
        if (said.type === 'unfit') return unfit(item, lane, said.outcome);
        item.losses += 1;
        if (item.losses >= MAX_LOSSES || said.reply === 'not handed over')
          return item.resolve({ type: 'deferred', reply: said.reply });
        line.again(item);
      },
    };
  };

  /** Rejections in a row, by relay: one that rejects whatever it is given must not burn every reader while others work. */
  const rejections = new Map<RelayLane, number>();
  const doubted = (lane: RelayLane, result: JobResult): JobResult => {
    if (result.type === 'accepted') rejections.delete(lane);
    if (result.type !== 'rejected' || lanes.length === 1) return result;
    const inARow = (rejections.get(lane) ?? 0) + 1;
    rejections.set(lane, inARow);
    return inARow > BELIEVED ? { type: 'unfit', outcome: result } : result;
  };

  /** One relay would not take a message (too big …): another may. Of what they say the hopeful is its outcome. */
  const unfit = (item: Item, lane: RelayLane, said: SendOutcome) => {
    const { relays: asked, outcome } = item.unfit ?? { relays: new Set(), outcome: said };
    item.unfit = { relays: asked.add(lane), outcome: outcome.type === 'deferred' ? outcome : said };
    if (lanes.every((other) => asked.has(other))) return item.resolve(item.unfit.outcome);
    line.again(item);
    queueMicrotask(pump);
  };

  /** One relay refuses us: another may take the message; when none is left, that is the outcome. */
  const refused = (item: Item, lane: RelayLane, outcome: SendOutcome & { type: 'sender-rejected' }) => {
    const alone = lanes.every((other) => other === lane || other.fault()?.type === 'refused');
    if (alone) return item.resolve(outcome);
    if (!lane.fault()) options.onRefused?.(lane.relay, outcome.reply);
    lane.refuse(outcome.reply, outcome.code, REFUSED_MS);
    line.again(item);
  };

  const lanes = createLanes(options, {
    take: (lane, urgentOnly) => {
      if (closing || lane.fault()?.type === 'refused' || allowed(lane) === 0) return undefined;
      const taken = takeMessage(lane, urgentOnly);
      if (!taken) return undefined;
      permits.get(lane)?.use();
      return toJob(taken.item, taken.message, lane);
    },
    onChange: () => pump(),
  });
  const permits = new Map(lanes.map((lane) => [lane, options.permits?.(lane.relay, () => pump())]));
  /** How many messages this relay may be given now. */
  const allowed = (lane: RelayLane) => permits.get(lane)?.available() ?? Number.POSITIVE_INFINITY;

  const pump = () => {
    if (closing) return resign();
    const queued = line.length();
    const hurried = line.hurried();
    if (queued > 0) for (const lane of lanes) lane.pump(Math.min(queued, allowed(lane)), hurried);
    deferStranded();
  };

  /** Every relay is out of reach: whoever has waited long enough is told so. */
  const deferStranded = () => {
    const fault = faultOf(lanes);
    if (!fault) return;
    const before = performance.now() - patienceWith(fault);
    line.settle(({ since }) => (since <= before ? outcomeOf(fault) : null));
  };

  /** What keeps all of these relays from taking anything; null while one of them may. */
  const faultOf = (some: readonly RelayLane[]): ConnectFault | null => {
    const faults = some.map((lane) => (lane.busy() > 0 ? null : lane.fault()));
    if (faults.includes(null)) return null;
    return faults.find((fault) => fault?.type === 'unreachable') ?? faults[0] ?? null;
  };

  const patienceWith = (fault: ConnectFault) =>
    fault.type === 'unreachable' ? (options.patienceMs ?? 5_000) : 0;

  /** Messages that the relays in reach would not take, and the others can't be asked. */
  const deferUnfit = () => {
    const now = performance.now();
    line.settle(({ unfit: refusals, since }) => {
      const fault = refusals ? faultOf(lanes.filter((lane) => !refusals.relays.has(lane))) : null;
      if (!refusals || !fault || since > now - patienceWith(fault)) return null;
      return fault.type === 'unreachable' ? outcomeOf(fault) : refusals.outcome;
    });
  };

  const resign = () => line.settle(() => ({ type: 'deferred', reply: SHUTTING_DOWN }));

  const timer = setInterval(() => {
    const now = performance.now();
    for (const lane of lanes) lane.tick(now);
    pump();
    deferUnfit();
  }, 250);
  timer.unref();

  return {
    send: (mail, handOver, sendOptions = {}) =>
      new Promise<SendOutcome>((settle) => {
        const resolve = (outcome: SendOutcome) => {
          sendOptions.onOutcome?.(outcome);
          settle(outcome);
        };
        if (closing) return resolve({ type: 'deferred', reply: SHUTTING_DOWN });
        const since = performance.now();
        const item = { mail, handOver, options: sendOptions, resolve, since, losses: 0, handedOver: false };
        // One look for all that are sent in the same turn.
        if (line.add(item)) queueMicrotask(pump);
      }),
    close: async () => {
      closing = true;
      // What is not on the wire is given back at once: only so there is time left to record it.
      resign();
      await Promise.all(lanes.map((lane) => lane.close()));
      clearInterval(timer);
      resign();
    },
  };
}

/** Connections are shared out by weight, at least one to each relay. */
function createLanes(
  options: TransportOptions,
  hooks: Pick<Parameters<typeof createRelayLane>[0], 'take' | 'onChange'>,
): RelayLane[] {
  const total = options.relays.reduce((sum, relay) => sum + relay.weight, 0);
  return options.relays.map((relay) => {
    const share = Math.max(1, Math.round((options.connections * relay.weight) / total));
    return createRelayLane({
      relay,
      limit: Math.min(share, relay.connections ?? share),
      messagesPerConnection: options.messagesPerConnection ?? 1_000,
      idleMs: options.idleMs ?? 20_000,
      stuckMs: options.stuckMs ?? 30_000,
      timeouts: options.timeouts ?? RFC_TIMEOUTS,
      closeMs: options.closeMs ?? 20_000,
      connect: options.connect ?? connectToRelay,
      onReach: (fault) => options.onReach?.(relay, fault),
      ...hooks,
    });
  });
}
