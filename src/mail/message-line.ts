import type { Mail, SendOptions, SendOutcome } from './message.ts';

/** A message that waits for a connection. `Relay` stands for whatever the sender knows its relays by. */
export type Waiting<Relay> = {
  readonly mail: Mail;
  readonly handOver: () => boolean | Promise<boolean>;
  readonly options: SendOptions;
  readonly resolve: (outcome: SendOutcome) => void;
  /** Since when, of `performance.now()`. */
  readonly since: number;
  /** Connections that ended before its content was written. */
  losses: number;
  /** `handOver` said yes: it isn't asked again on the next connection. */
  handedOver: boolean;
  /** Relays that would not take it, and what to say when no other does. */
  unfit?: { readonly relays: Set<Relay>; outcome: SendOutcome };
};

/** The messages that wait: in the order they came, urgent ones first. */
export type MessageLine<Relay> = {
  /** @returns true for the first of its kind: nobody is about to look at the line yet */
  add(item: Waiting<Relay>): boolean;
  /** To be given to the next connection. */
  again(item: Waiting<Relay>): void;
  /** The next message for a relay whose hand-over is settled; those that must ask the ledger first do so meanwhile. */
  take(relay: Relay, urgentOnly: boolean): Waiting<Relay> | undefined;
  /** How many wait, those that are asking left out. */
  length(): number;
  /** An urgent one waits. */
  hurried(): boolean;
  /** Takes those out that have an outcome, and tells them. */
  settle(outcomeOf: (item: Waiting<Relay>) => SendOutcome | null): void;
};

/**
 * @param deps.asking how many messages may ask for their hand-over at once
 * @param deps.onReady told when one has been answered
 */
export function createMessageLine<Relay>(deps: {
  readonly asking: number;
  onReady(): void;
}): MessageLine<Relay> {
  const urgent: Waiting<Relay>[] = [];
  const ready: Waiting<Relay>[] = [];
  const waiting: Waiting<Relay>[] = [];
  let asking = 0;

  const again = (item: Waiting<Relay>): void => {
    if (item.options.urgent) ready.unshift(item);
    else ready.push(item);
  };

  /** Answers at once where the ledger was told before; otherwise null, and the message is ready later. */
  const askHandOver = (item: Waiting<Relay>): boolean | null => {
    const answer = item.handOver();
    if (typeof answer === 'boolean') return answer;
    void settleHandOver(item, answer);
    return null;
  };

  const settleHandOver = async (item: Waiting<Relay>, answer: Promise<boolean>) => {
    asking += 1;
    try {
      item.handedOver = await answer;
      if (item.handedOver) again(item);
      else item.resolve({ type: 'deferred', reply: 'not handed over' });
    } catch (error) {
      item.resolve({ type: 'deferred', reply: `hand-over failed: ${String(error)}` });
    }
    asking -= 1;
    deps.onReady();
  };

  return {
    add: (item) => (item.options.urgent ? urgent : waiting).push(item) === 1,
    again,
    take: (relay, urgentOnly) => {
      const at = ready.findIndex(
        (item) => !item.unfit?.relays.has(relay) && (!urgentOnly || item.options.urgent === true),
      );
      if (at !== -1) return ready.splice(at, 1)[0];
      while (asking <= deps.asking) {
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
    },
    length: () => urgent.length + ready.length + waiting.length,
    hurried: () => urgent.length > 0 || ready.some((item) => item.options.urgent),
    settle: (outcomeOf) => {
      const settled: (() => void)[] = [];
      for (const list of [urgent, ready, waiting]) {
        const left = list.filter((item) => {
          const outcome = outcomeOf(item);
          if (outcome) settled.push(() => item.resolve(outcome));
          return outcome === null;
        });
        list.splice(0, list.length, ...left);
      }
      for (const tell of settled) tell();
    },
  };
}
