import { createHmac, type KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Queryable } from '#src/database/database.ts';
import type { NoticeId } from '#src/database/ids.ts';
import { takeConfirmationIds } from './confirmation-store.ts';
import type { SuppressionPort } from './ports.ts';
import { addCounts, windowStart } from './request-count-store.ts';
import { takeRequests, type WaitingRequest } from './request-inbox-store.ts';
import { insertRequests, type NewRequest } from './request-store.ts';
import { hashToken, type Tokens } from './tokens.ts';

/** How many confirmation mails may be caused: against subscribe bombing. */
export type RequestCaps = {
  readonly perAddressAndDay: number;
  readonly perIpAndHour: number;
  readonly overallPerHour: number;
};

/** Enough for people, too little for a bomb. */
export const DEFAULT_CAPS: RequestCaps = { perAddressAndDay: 3, perIpAndHour: 20, overallPerHour: 5000 };

/** What working off requests needs, and the installation's rules for them. */
export type WorkOffDependencies = {
  readonly database: Database;
  readonly tokens: Tokens;
  readonly enqueueNotices: (ids: readonly NoticeId[]) => Promise<void>;
  readonly suppressions: SuppressionPort;
  readonly now: () => Date;
  /** Keys the counters, so that no address stands in them. */
  readonly countKey: KeyObject;
  readonly caps: RequestCaps;
  /** The sentence the visitor agrees to, kept with the confirmation. */
  readonly consentText: string;
  readonly confirmationHours: number;
};

/** Requests worked off in one transaction. */
const TOGETHER = 50;
/** Between two transactions, in milliseconds: 500 requests a second, however many come in, leave pages and mails their time. */
const PAUSE_MS = 100;

/** Works off the inbox of requests. */
export type WorkOffRequests = {
  /** Begins in the background, unless it is at work already. What fails is left in the inbox for {@link WorkOffRequests.goOn}. */
  begin(): void;
  /** When what was begun is done, or has failed. */
  settled(): Promise<void>;
  /** Does what a process left behind that ended or failed: some at once, the rest in the background. */
  goOn(): Promise<void>;
};

/** Makes of requests in the inbox what they ask for: a pending reader, a confirmation and its mail, below every cap. */
export function createWorkOffRequests(deps: WorkOffDependencies): WorkOffRequests {
  let more = false;
  let working = false;
  let run: Promise<void> = Promise.resolve();

  async function work() {
    try {
      do {
        more = false;
        if ((await workOffOnce(deps)) === TOGETHER) more = true;
        if (more) await delay(PAUSE_MS, undefined, { ref: false });
      } while (more);
    } catch {
      // Nothing is lost: the transaction was taken back, and the sweep goes on and says what is wrong.
    } finally {
      working = false;
    }
  }

  const begin = () => {
    more = true;
    if (working) return;
    working = true;
    run = work();
  };
  return {
    begin,
    settled: () => run,
    goOn: async () => {
      if ((await workOffOnce(deps)) === TOGETHER) begin();
    },
  };
}

/** @returns how many there were, at most `TOGETHER` */
async function workOffOnce(deps: WorkOffDependencies): Promise<number> {
  const done = await deps.database.transaction().execute(async (tx) => {
    const requests = await takeRequests(tx, TOGETHER);
    return { count: requests.length, notices: requests.length > 0 ? await carryOut(deps, tx, requests) : [] };
  });
  // The sweep delivers them anyway: a queue out of reach must not hold up the next requests.
  if (done.notices.length > 0) await deps.enqueueNotices(done.notices).catch(() => undefined);
  return done.count;
}

async function carryOut(
  deps: WorkOffDependencies,
  tx: Queryable,
  requests: readonly WaitingRequest[],
): Promise<NoticeId[]> {
  const now = deps.now();
  const keys = requests.map((request) => request.address.key);
  const allowed = await withinCaps(deps, tx, requests, now);
  const suppressed = await deps.suppressions.among(tx, keys);
  const ids = await takeConfirmationIds(tx, requests.length);
  const fresh = requests.map((request, i): NewRequest => {
    const reason = suppressed.get(request.address.key);
    return {
      ...request,
      allowed: allowed[i] === true,
      // One who has unsubscribed may come back.
      mailed: allowed[i] === true && (!reason || reason === 'unsubscribed'),
      confirmationId: ids[i] as number,
      tokenHash: hashToken(deps.tokens.confirmation('subscribe', ids[i] as number)),
    };
  });
  const expiresAt = new Date(now.getTime() + deps.confirmationHours * 3_600_000);
  return insertRequests(tx, fresh, { now, expiresAt, consentText: deps.consentText });
}

/** A person with IPv6 has a whole /64: cap that. */
const networkOf = (ip: string | null): string =>
  ip?.includes(':') ? ip.split(':').slice(0, 4).join(':') : (ip ?? 'unknown');

/** Which requests of a batch stay below every cap. All of them are counted. */
async function withinCaps(
  deps: WorkOffDependencies,
  tx: Queryable,
  batch: readonly WaitingRequest[],
  now: Date,
) {
  const hour = windowStart(now, 3600);
  const day = windowStart(now, 86_400);
  const { caps } = deps;
  const limits = batch.map((request) => [
    { key: 'request', windowStart: hour, cap: caps.overallPerHour },
    { key: `request-ip:${networkOf(request.visit.ip)}`, windowStart: hour, cap: caps.perIpAndHour },
    { key: `request-address:${hashAddress(deps, request)}`, windowStart: day, cap: caps.perAddressAndDay },
  ]);
  const adds = new Map<string, { key: string; windowStart: Date; add: number }>();
  for (const limit of limits.flat()) {
    const add = (adds.get(limit.key)?.add ?? 0) + 1;
    adds.set(limit.key, { key: limit.key, windowStart: limit.windowStart, add });
  }
  const counts = await addCounts(tx, [...adds.values()]);
  return limits.map((mine) => {
    const allowed = mine.every((limit) => (counts.get(limit.key) ?? 0) < limit.cap);
    for (const { key } of mine) counts.set(key, (counts.get(key) ?? 0) + 1);
    return allowed;
  });
}

const hashAddress = (deps: WorkOffDependencies, request: WaitingRequest): string =>
  createHmac('sha256', deps.countKey).update(request.address.key).digest('base64url');
