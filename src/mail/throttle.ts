import { setTimeout as delay } from 'node:timers/promises';
import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
import { createDomainStanding } from './domain-standing.ts';
import { enhancedCodeOf } from './smtp-outcome.ts';
import type { Limit, ThrottleStore } from './throttle-store.ts';

/** How fast mail may go out. */
export type SendLimits = {
  /** Messages a minute over all workers. */
  readonly globalPerMinute?: number;
  /** Messages a minute to one domain of recipients, `example.org`. */
  readonly domainPerMinute: ReadonlyMap<string, number>;
  /** A new sender's first days: so many messages on each, then no limit. */
  readonly warmUp?: { readonly from: IsoDate; readonly perDay: readonly number[] };
};

/** Decides which messages may go now. */
export type Throttle = {
  /**
   * Asks for messages to these addresses, in their order. Where only the rate of all mail holds them up it waits for a
   * while: it is everybody's turn that is late, and giving them back would help nobody.
   * @param signal ends the waiting
   * @returns for each 0 when it may go, otherwise the milliseconds after which to ask again: a turn of its own each
   */
  admit(addresses: readonly string[], signal?: AbortSignal): Promise<number[]>;
  /**
   * How long the domain of this address wants to be left alone, in milliseconds; 0: it doesn't. What holds for mails
   * that no other limit holds up.
   */
  pauseMs(address: string): Promise<number>;
  /** Counts a message that goes whatever the limits say. */
  spend(address: string): void;
  /**
   * Learns from the outcome of a message: a domain that answers 421 or 4.7.x is left alone for a while, one that has just taken mail only
   * when it does so three times in a row.
   */
  learn(address: string, outcome: { readonly type: string; readonly reply: string }): void;
};

/** How long what the database says of pauses is believed, in milliseconds. */
const PAUSES_MS = 5_000;
/** How long messages wait for the rate of all mail before they are given back, in milliseconds. */
const PATIENCE_MS = 20_000;
/** Between two questions while they wait. */
const ASK_MS = { least: 100, most: 1_000 };
/** What a domain's first pause is at least, until the database is looked at again; milliseconds. */
const FIRST_PAUSE_MS = 60_000;
/** Part of a minute that may go at once. */
const BURST = 1 / 6;
const DAY_MS = 86_400_000;

/** Makes the throttle of this process; the limits themselves are in the database. */
export function createThrottle(deps: {
  readonly store: ThrottleStore;
  readonly limits: SendLimits;
  readonly now: () => Date;
  /** How long {@link Throttle.admit} waits for the rate of all mail, in milliseconds (default 20 s). */
  readonly patienceMs?: number;
}): Throttle {
  const turns = createTurns();
  const standing = createDomainStanding();
  /** Paused keys, and until when (of `performance.now()`). */
  let paused: ReadonlyMap<string, number> = new Map();
  let looked = Number.NEGATIVE_INFINITY;
  const look = async () => {
    if (performance.now() - looked < PAUSES_MS) return;
    const now = performance.now();
    looked = now;
    paused = new Map([...(await deps.store.paused())].map(([key, ms]) => [key, now + ms]));
    for (const [key, until] of paused) standing.paused(key, until);
  };
  const admit = async (addresses: readonly string[], patienceMs: number, signal?: AbortSignal) => {
    await look();
    const needs = addresses.map((address) => limitsOf(deps.limits, paused, address, deps.now()));
    const waits = await decide(deps.store, needs, turns);
    const { globalPerMinute } = deps.limits;
    if (globalPerMinute === undefined) return waits;
    const limit = rate('global', globalPerMinute);
    const going = waits.flatMap((wait, i) => (wait === 0 ? [i] : []));
    const granted = await takePatiently(deps.store, limit, going.length, patienceMs, signal);
    for (const i of going.slice(granted)) waits[i] = turns.next(limit, 0);
    return waits;
  };
  return {
    admit: (addresses, signal) => admit(addresses, deps.patienceMs ?? PATIENCE_MS, signal),
    pauseMs: async (address) => {
      await look();
      return Math.max(0, (paused.get(domainKey(address)) ?? 0) - performance.now());
    },
    spend: (address) => void admit([address], 0).catch(() => undefined),
    learn: (address, outcome) => {
      const key = domainKey(address);
      // A database that is away: the next such answer is told again.
      if (outcome.type === 'accepted') {
        if (standing.took(key)) void deps.store.forgive(key).catch(() => undefined);
        return;
      }
      if (outcome.type !== 'deferred' || !asksForPatience(outcome.reply) || !standing.refused(key)) return;
      // What was on its way when the pause began is refused with it, and neither prolongs it nor hides its end.
      if ((paused.get(key) ?? 0) > performance.now()) return;
      const until = performance.now() + FIRST_PAUSE_MS;
      paused = new Map(paused).set(key, until);
      standing.paused(key, until);
      void deps.store.backOff(key).catch(() => undefined);
    },
  };
}

const domainKey = (address: string) => `domain:${address.slice(address.lastIndexOf('@') + 1).toLowerCase()}`;

/**
 * 421 or 4.7.x, but not 4.3.x: a server that goes down says nothing of the domain; nor does one that greylists, which only wants each
 * message to come again.
 */
function asksForPatience(reply: string): boolean {
  if (/gr[ae]y-?list/i.test(reply)) return false;
  const enhanced = enhancedCodeOf(reply);
  return enhanced?.startsWith('4.7.') === true || (/^421\b/.test(reply) && !enhanced?.startsWith('4.3.'));
}

/** The limits of one message but the rate of all mail. A paused domain without a rate of its own is looked up for its pause. */
function limitsOf(
  limits: SendLimits,
  paused: ReadonlyMap<string, number>,
  address: string,
  now: Date,
): Limit[] {
  const found: Limit[] = [];
  const key = domainKey(address);
  const perMinute = limits.domainPerMinute.get(key.slice('domain:'.length));
  if (perMinute !== undefined) found.push(rate(key, perMinute));
  else if (paused.has(key)) found.push({ key, perMinute: 60_000, burst: 1_000 });
  const budget = warmUpBudget(limits, utcDate(now));
  if (budget) found.push(budget);
  return found;
}

const rate = (key: string, perMinute: number): Limit => ({
  key,
  perMinute,
  burst: Math.max(1, Math.floor(perMinute * BURST)),
});

function warmUpBudget({ warmUp }: SendLimits, today: IsoDate): Limit | null {
  if (!warmUp || today < warmUp.from) return null;
  const day = Math.round((Date.parse(today) - Date.parse(warmUp.from)) / DAY_MS);
  const burst = warmUp.perDay[day];
  return burst === undefined ? null : { key: `warm-up:${addDays(warmUp.from, day)}`, perMinute: null, burst };
}

async function decide(
  store: ThrottleStore,
  needs: readonly (readonly Limit[])[],
  turns: Turns,
): Promise<number[]> {
  const wanted = new Map<string, { limit: Limit; wanted: number }>();
  for (const limit of needs.flat()) {
    const sum = wanted.get(limit.key);
    if (sum) sum.wanted += 1;
    else wanted.set(limit.key, { limit, wanted: 1 });
  }
  if (wanted.size === 0) return needs.map(() => 0);
  const grants = await store.take([...wanted.values()]);
  const left = new Map([...grants].map(([key, grant]) => [key, grant.granted]));
  return needs.map((limits) => {
    const short = limits.filter(({ key }) => (left.get(key) ?? 0) < 1);
    if (short.length > 0)
      return Math.max(...short.map((limit) => turns.next(limit, grants.get(limit.key)?.waitMs ?? 0)));
    for (const { key } of limits) left.set(key, (left.get(key) ?? 0) - 1);
    return 0;
  });
}

/** Hands out turns, so that what was put off comes back at the pace of its limit and not all at the same moment. */
type Turns = { next(limit: Limit, waitMs: number): number };

function createTurns(): Turns {
  /** The last turn given, by key, of `performance.now()`. */
  const last = new Map<string, number>();
  return {
    next: (limit, waitMs) => {
      const now = performance.now();
      if (limit.perMinute === null) return Math.max(1_000, waitMs);
      const at = Math.max(
        now + Math.max(1_000, waitMs),
        (last.get(limit.key) ?? 0) + 60_000 / limit.perMinute,
      );
      last.set(limit.key, at);
      return at - now;
    },
  };
}

/** Takes messages of one limit as they become free. @returns how many of `wanted` within the time */
async function takePatiently(
  store: ThrottleStore,
  limit: Limit,
  wanted: number,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const until = performance.now() + patienceMs;
  let taken = 0;
  while (taken < wanted) {
    const grant = (await store.take([{ limit, wanted: wanted - taken }])).get(limit.key);
    taken += grant?.granted ?? 0;
    const pause = Math.min(Math.max(grant?.waitMs ?? 0, ASK_MS.least), ASK_MS.most);
    if (signal?.aborted || performance.now() + pause > until) break;
    if (taken < wanted) await delay(pause, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
  return taken;
}

/**
 * Reads limits as the operator writes them: `*=6000, gmail.com=600` (messages a minute; `*` is all together) and
 * `2026-11-21: 50 100 200 400` (messages on the first days from that date on).
 * @throws RangeError saying what is not understood
 */
export function parseLimits(rates: string, warmUp: string): SendLimits {
  const perMinute = new Map(parseRates(rates, 'messages per minute'));
  const globalPerMinute = perMinute.get('*');
  perMinute.delete('*');
  const schedule = parseWarmUp(warmUp);
  return {
    domainPerMinute: perMinute,
    ...(globalPerMinute === undefined ? {} : { globalPerMinute }),
    ...(schedule ? { warmUp: schedule } : {}),
  };
}

/** Reads `*=6000, example.org=600` into numbers by domain in lower case. @throws RangeError saying what is not understood */
export function parseRates(text: string, unit: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') continue;
    const match = /^(\*|[a-z0-9.-]+)\s*=\s*(\d+)$/i.exec(part);
    if (!match?.[1] || Number(match[2]) < 1)
      throw new RangeError(`"${part}" is no limit; write domain=${unit}, or *=… for the rest`);
    found.set(match[1].toLowerCase(), Number(match[2]));
  }
  return found;
}

function parseWarmUp(text: string): SendLimits['warmUp'] {
  if (text.trim() === '') return undefined;
  const match = /^\s*(\d{4}-\d{2}-\d{2})\s*:\s*(\d+(?:\s+\d+)*)\s*$/.exec(text);
  if (!match?.[1] || !match[2])
    throw new RangeError(`"${text}" is no warm-up; write 2026-11-21: 50 100 200 (messages on each day)`);
  return { from: match[1] as IsoDate, perDay: match[2].split(/\s+/).map(Number) };
}
