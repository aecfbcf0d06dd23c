import {
  type Mail,
  type MailTransport,
  messageOf,
  type OutgoingMessage,
  type SendOptions,
  type SendOutcome,
  SHUTTING_DOWN,
} from './message.ts';
import { createRelayLane, outcomeOf, type RelayLane } from './relay-lane.ts';
import type { RelayPermits } from './relay-permits.ts';
import { type ConnectFault, connectToRelay, type OpenedConnection } from './smtp-connect.ts';
import type { Relay } from './smtp-relay.ts';
import type { JobResult, SmtpJob } from './smtp-session.ts';
import { RFC_TIMEOUTS, type SmtpTimeouts } from './smtp-timeouts.ts';

/** A message that waits for a connection. */
type Waiting = {
  readonly mail: Mail;
  readonly handOver: () => boolean | Promise<boolean>;
  readonly options: SendOptions;
  readonly resolve: (outcome: SendOutcome) => void;
  readonly since: number;
  /** Connections that ended before its content was written. */
  losses: number;
  /** `handOver` said yes: it isn't asked again on the next connection. */
  handedOver: boolean;
  /** Relays that would not take it, and what to say when no other does. */
  unfit?: { readonly lanes: Set<RelayLane>; outcome: SendOutcome };
};

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
  const urgent: Waiting[] = [];
  const ready: Waiting[] = [];
  const waiting: Waiting[] = [];
  let asking = 0;
  let closing = false;

  /** The next message whose hand-over is settled; those that must ask the ledger first do so meanwhile. */
  const take = (lane: RelayLane, urgentOnly: boolean): Waiting | undefined => {
    const at = ready.findIndex(
      (item) => !item.unfit?.lanes.has(lane) && (!urgentOnly || item.options.urgent === true),
    );
    if (at !== -1) return ready.splice(at, 1)[0];
    // Every connection that waits may have one message asking.
    while (asking <= options.connections) {
      const next = urgent.shift() ?? (urgentOnly ? undefined : waiting.shift());
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
      if (next.handedOver && next.options.urgent) ready.unshift(next);
      else if (next.handedOver) ready.push(next);
      else next.resolve({ type: 'deferred', reply: 'not handed over' });
    } catch (error) {
      next.resolve({ type: 'deferred', reply: `hand-over failed: ${String(error)}` });
    }
    asking -= 1;
    pump();
  };

  /** The next message, put together; one that can't be is put off. */
  const takeMessage = (
    lane: RelayLane,
    urgentOnly: boolean,
  ): { item: Waiting; message: OutgoingMessage } | undefined => {
    for (let item = take(lane, urgentOnly); item; item = take(lane, urgentOnly)) {
      try {
        return { item, message: messageOf(item.mail) };
      } catch (error) {
        item.resolve({ type: 'deferred', reply: `could not be composed: ${String(error)}` });
      }
    }
    return undefined;
  };

  const toJob = (item: Waiting, message: OutgoingMessage, lane: RelayLane): SmtpJob => {
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
        again(item);
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
  const unfit = (item: Waiting, lane: RelayLane, said: SendOutcome) => {
    const { lanes: asked, outcome } = item.unfit ?? { lanes: new Set(), outcome: said };
    item.unfit = { lanes: asked.add(lane), outcome: outcome.type === 'deferred' ? outcome : said };
    if (lanes.every((other) => asked.has(other))) return item.resolve(item.unfit.outcome);
    again(item);
    queueMicrotask(pump);
  };

  /** To be given to the next connection. */
  const again = (item: Waiting) => (item.options.urgent ? ready.unshift(item) : ready.push(item));

  /** One relay refuses us: another may take the message; when none is left, that is the outcome. */
  const refused = (item: Waiting, lane: RelayLane, outcome: SendOutcome & { type: 'sender-rejected' }) => {
    const alone = lanes.every((other) => other === lane || other.fault()?.type === 'refused');
    if (alone) return item.resolve(outcome);
    if (!lane.fault()) options.onRefused?.(lane.relay, outcome.reply);
    lane.refuse(outcome.reply, outcome.code, REFUSED_MS);
    again(item);
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
    const hurried = urgent.length > 0 || ready.some((item) => item.options.urgent);
    const queued = urgent.length + ready.length + waiting.length;
    if (queued > 0) for (const lane of lanes) lane.pump(Math.min(queued, allowed(lane)), hurried);
    deferStranded();
  };

  /** Every relay is out of reach: whoever has waited long enough is told so. */
  const deferStranded = () => {
    const fault = faultOf(lanes);
    if (!fault) return deferUnfit();
    const before = performance.now() - patienceWith(fault);
    for (const list of [urgent, ready, waiting]) {
      const gone = list.filter((item) => item.since <= before);
      list.splice(0, list.length, ...list.filter((item) => item.since > before));
      for (const item of gone) item.resolve(outcomeOf(fault));
    }
  };

  /** What keeps all of these relays from taking anything; null while one of them may. */
  const faultOf = (some: readonly RelayLane[]): ConnectFault | null => {
    const faults = some.map((lane) => (lane.busy() > 0 ? null : lane.fault()));
    if (faults.includes(null)) return null;
    return faults.find((fault) => fault?.type === 'unreachable') ?? faults[0] ?? null;
  };

  const patienceWith = (fault: ConnectFault) =>
    fault.type === 'unreachable' ? (options.patienceMs ?? 5_000) : 0;

  /** Messages that the relays in reach would not take. */
  const deferUnfit = () => {
    const now = performance.now();
    for (const item of ready.filter((one) => one.unfit !== undefined)) {
      const fault = faultOf(lanes.filter((lane) => !item.unfit?.lanes.has(lane)));
      if (!fault || !item.unfit || item.since > now - patienceWith(fault)) continue;
      ready.splice(ready.indexOf(item), 1);
      item.resolve(fault.type === 'unreachable' ? outcomeOf(fault) : item.unfit.outcome);
    }
  };

  const resign = () => {
    for (const item of [...urgent.splice(0), ...ready.splice(0), ...waiting.splice(0)])
      item.resolve({ type: 'deferred', reply: SHUTTING_DOWN });
  };

  const timer = setInterval(() => {
    const now = performance.now();
    for (const lane of lanes) lane.tick(now);
    pump();
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
        const list = sendOptions.urgent ? urgent : waiting;
        list.push({ mail, handOver, options: sendOptions, resolve, since, losses: 0, handedOver: false });
        // One look for all that are sent in the same turn.
        if (list.length === 1) queueMicrotask(pump);
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
