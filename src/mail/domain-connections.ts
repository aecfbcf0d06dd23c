import { randomUUID } from 'node:crypto';
import { type MailTransport, recipientOf, type SendOutcome, SHUTTING_DOWN } from './message.ts';
import type { SlotStore } from './slot-store.ts';
import { parseRates } from './throttle.ts';

/** Messages at once to a domain at most; `*` for each domain that isn't named. */
export type DomainConnections = ReadonlyMap<string, number>;

/** Milliseconds: how long slots are held without renewal, and between two questions while messages wait, or none do. */
const LEASE_MS = 30_000;
const ASK_MS = { waiting: 250, busy: 5_000 };
/** A message that gets no slot for this long is put off, so that it doesn't hold up those claimed with it. */
const PATIENCE_MS = 15_000;

type Entry = { start(): Promise<void>; giveUp(reply: string): void; readonly since: number };
type Gate = { readonly key: string; readonly limit: number; slots: number; inUse: number; waiting: Entry[] };

/**
 * Lets only so many messages at once go to one domain, counted over all workers: a message takes a slot before it is
 * given to the transport, and so no more connections than that carry the domain's mail. Urgent messages don't wait.
 * @returns `transport` itself when there is no limit
 */
export function limitDomains(deps: {
  readonly transport: MailTransport;
  readonly store: SlotStore;
  readonly limits: DomainConnections;
}): MailTransport {
  const { transport, limits } = deps;
  if (limits.size === 0) return transport;
  const gates = new Map<string, Gate>();
  const slots = holdSlots(deps.store, gates);
  let closing = false;

  return {
    send: (mail, handOver, options = {}) => {
      const domain = domainOf(recipientOf(mail));
      const limit = limits.get(domain) ?? limits.get('*');
      if (limit === undefined || options.urgent === true) return transport.send(mail, handOver, options);
      return new Promise((resolve) => {
        const giveUp = (reply: string) => {
          const outcome: SendOutcome = { type: 'deferred', reply };
          options.onOutcome?.(outcome);
          resolve(outcome);
        };
        if (closing) return giveUp(SHUTTING_DOWN);
        const start = async () => resolve(await transport.send(mail, handOver, options));
        const key = `domain:${domain}`;
        const gate = gates.get(key) ?? { key, limit, slots: 0, inUse: 0, waiting: [] };
        gates.set(key, gate);
        gate.waiting.push({ start, giveUp, since: performance.now() });
        slots.advance(gate);
      });
    },
    close: async () => {
      closing = true;
      for (const gate of gates.values())
        for (const entry of gate.waiting.splice(0)) entry.giveUp(SHUTTING_DOWN);
      await transport.close();
      await slots.close();
    },
  };
}

const domainOf = (address: string) => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/** Keeps this process's slots of all gates: asks when messages wait, renews while some are in use, gives back the rest. */
function holdSlots(store: SlotStore, gates: Map<string, Gate>) {
  const holder = randomUUID();
  let heldUntil = 0;
  let asking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const advance = (gate: Gate) => {
    while (gate.inUse < gate.slots && performance.now() < heldUntil) {
      const entry = gate.waiting.shift();
      if (!entry) return;
      gate.inUse += 1;
      void entry.start().finally(() => {
        gate.inUse -= 1;
        advance(gate);
      });
    }
    if (gate.waiting.length > 0 && !timer && !asking) later(0);
  };

  const later = (ms: number) => {
    if (closed) return;
    timer = setTimeout(() => {
      timer = undefined;
      asking = ask().finally(() => {
        asking = null;
        if (gates.size > 0) later(nextIn());
      });
    }, ms);
    timer.unref();
  };

  const nextIn = () =>
    [...gates.values()].some((gate) => gate.waiting.length > 0) ? ASK_MS.waiting : ASK_MS.busy;

  const ask = async () => {
    const since = performance.now();
    const asked = [...gates.values()];
    const wants = asked.map(({ key, limit, inUse, waiting }) => {
      return { key, limit, inUse, wanted: Math.min(limit, inUse + waiting.length) };
    });
    // A database out of reach: what is held runs out with its lease.
    const granted = await store.hold(holder, wants, LEASE_MS).catch(() => null);
    if (granted) heldUntil = since + LEASE_MS * 0.9;
    for (const gate of asked) {
      if (granted) gate.slots = granted.get(gate.key) ?? 0;
      advance(gate);
      putOff(gate);
      if (granted && gate.inUse + gate.waiting.length === 0) gates.delete(gate.key);
    }
  };

  return {
    advance,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await asking;
      const wants = [...gates.values()].map(({ key, limit }) => ({ key, limit, inUse: 0, wanted: 0 }));
      if (wants.length > 0) await store.hold(holder, wants, LEASE_MS).catch(() => undefined);
    },
  };
}

function putOff(gate: Gate): void {
  const before = performance.now() - PATIENCE_MS;
  const gone = gate.waiting.filter((entry) => entry.since < before);
  gate.waiting = gate.waiting.filter((entry) => entry.since >= before);
  for (const entry of gone) entry.giveUp(`${gate.key} has all the connections it may have`);
}

/** Reads `*=20, example.org=4`. @throws RangeError saying what is not understood */
export const parseDomainConnections = (text: string): DomainConnections => parseRates(text, 'connections');
