import { addDays, type IsoDate, utcDate } from '#src/database/ids.ts';
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
   * Asks for messages to these addresses, in their order.
   * @returns for each 0 when it may go, otherwise the milliseconds it has to wait at least
   */
  admit(addresses: readonly string[]): Promise<number[]>;
  /**
   * How long the domain of this address wants to be left alone, in milliseconds; 0: it doesn't. What holds for mails
   * that no other limit holds up.
   */
  pauseMs(address: string): Promise<number>;
  /** Counts a message that goes whatever the limits say. */
  spend(address: string): void;
  /** Learns from the outcome of a message: a domain that answers 421 or 4.7.x is left alone for a while. */
  learn(address: string, outcome: { readonly type: string; readonly reply: string }): void;
};

/** How long what the database says of pauses is believed, in milliseconds. */
const PAUSES_MS = 5_000;
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
}): Throttle {
  /** Paused keys, and until when (of `performance.now()`). */
  let paused: ReadonlyMap<string, number> = new Map();
  let looked = Number.NEGATIVE_INFINITY;
  const look = async () => {
    if (performance.now() - looked < PAUSES_MS) return;
    const now = performance.now();
    looked = now;
    paused = new Map([...(await deps.store.paused())].map(([key, ms]) => [key, now + ms]));
  };
  const admit = async (addresses: readonly string[]) => {
    await look();
    const needs = addresses.map((address) => limitsOf(deps.limits, paused, address, deps.now()));
    return decide(deps.store, needs);
  };
  return {
    admit,
    pauseMs: async (address) => {
      await look();
      return Math.max(0, (paused.get(domainKey(address)) ?? 0) - performance.now());
    },
    spend: (address) => void admit([address]).catch(() => undefined),
    learn: (address, outcome) => {
      if (outcome.type !== 'deferred' || !asksForPatience(outcome.reply)) return;
      const key = domainKey(address);
      paused = new Map(paused).set(key, performance.now() + FIRST_PAUSE_MS);
      // A database that is away: the next such answer is told again.
      void deps.store.backOff(key).catch(() => undefined);
    },
  };
}

const domainKey = (address: string) => `domain:${address.slice(address.lastIndexOf('@') + 1).toLowerCase()}`;

/** 421 or 4.7.x, but not 4.3.x: a server that goes down says nothing of the domain. */
function asksForPatience(reply: string): boolean {
  const enhanced = enhancedCodeOf(reply);
  return enhanced?.startsWith('4.7.') === true || (/^421\b/.test(reply) && !enhanced?.startsWith('4.3.'));
}

/** The limits of one message. A paused domain without a rate of its own is looked up for its pause. */
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
  if (limits.globalPerMinute !== undefined) found.push(rate('global', limits.globalPerMinute));
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

async function decide(store: ThrottleStore, needs: readonly (readonly Limit[])[]): Promise<number[]> {
  const wanted = new Map<string, { limit: Limit; wanted: number }>();
  for (const limit of needs.flat()) {
    const sum = wanted.get(limit.key);
    if (sum) sum.wanted += 1;
    else wanted.set(limit.key, { limit, wanted: 1 });
  }
  if (wanted.size === 0) return needs.map(() => 0);
  const grants = await store.take([...wanted.values()]);
  const left = new Map([...grants].map(([key, grant]) => [key, grant.granted]));
  const queued = new Map<string, number>();
  return needs.map((limits) => {
    const short = limits.filter(({ key }) => (left.get(key) ?? 0) < 1);
    if (short.length === 0) {
      for (const { key } of limits) left.set(key, (left.get(key) ?? 0) - 1);
      return 0;
    }
    // Each has a turn of its own, so that they don't all come back at the same moment.
    return Math.max(
      ...short.map((limit) => {
        const place = queued.get(limit.key) ?? 0;
        queued.set(limit.key, place + 1);
        const turn = limit.perMinute ? (place * 60_000) / limit.perMinute : 0;
        return Math.max(1_000, (grants.get(limit.key)?.waitMs ?? 0) + turn);
      }),
    );
  });
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
