import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, recipientOf, type SendOutcome } from '#src/mail/message.ts';
import type { DeliverDependencies } from './deliver.ts';
import { claimOf, type DeliveryRun, type HandedOver, type Sendable, uncomposed } from './deliver-window.ts';
import { resultOf } from './delivery-outcome.ts';
import type { DigestResult } from './ledger.ts';

/** A window on its way. */
export type SendingWindow = {
  /** Resolves when half of it is settled, at the latest. */
  readonly half: Promise<void>;
  /** The results of what is settled when all of it is, or some time after half of it was; the rest is `late`. */
  readonly results: Promise<WindowResults>;
};

/** What became of a window, and of the messages that a server still keeps waiting: each has its result, whatever happens. */
export type WindowResults = {
  readonly settled: readonly DigestResult[];
  readonly late: readonly Promise<DigestResult>[];
};

/** Milliseconds that the second half of a window has, after the first, before the others are recorded without the rest. */
const LATE_MS = 10_000;

/** Sends a window. */
export function sendWindow(run: DeliveryRun, { sendable, until }: HandedOver): SendingWindow {
  const { deps, lease } = run;
  const { promise: half, resolve } = Promise.withResolvers<void>();
  const mayGo = () =>
    run.fault === undefined && (performance.now() < until || lease.holds()) && !deps.halt.active();
  let open = sendable.length;
  const settled = () => {
    open -= 1;
    if (open * 2 <= sendable.length) resolve();
  };
  if (open === 0) resolve();
  const sent = sendable.map((item) => sendOne(run, item, mayGo, settled));
  return { half, results: resultsOf(sent, half, deps.lateMs ?? LATE_MS) };
}

/** A server that says nothing for minutes must not hold up what others took, nor the windows behind. */
async function resultsOf(
  sent: readonly Promise<DigestResult>[],
  half: Promise<void>,
  lateMs: number,
): Promise<WindowResults> {
  const over = new AbortController();
  const all = Promise.all(sent).then((settled): WindowResults => ({ settled, late: [] }));
  const most = half
    .then(() => delay(lateMs, undefined, { signal: over.signal }))
    .then(() => partWhatIsLate(sent));
  try {
    return await Promise.race([all, most]);
  } finally {
    over.abort();
  }
}

const NOT_YET = Promise.resolve(null);

async function partWhatIsLate(sent: readonly Promise<DigestResult>[]): Promise<WindowResults> {
  const settled: DigestResult[] = [];
  const late: Promise<DigestResult>[] = [];
  for (const one of sent) {
    const result = await Promise.race([one, NOT_YET]);
    if (result) settled.push(result);
    else late.push(one);
  }
  return { settled, late };
}

async function sendOne(
  run: DeliveryRun,
  { row, mail }: Sendable,
  mayGo: () => boolean,
  settled: () => void,
): Promise<DigestResult> {
  const { deps, journal } = run;
  let result: DigestResult = { ...claimOf(row), state: 'planned' };
  let withdrawn = false;
  let begun = false;
  // A process that is asked to stop begins nothing new; what has begun goes on.
  const mayBegin = () => {
    withdrawn = run.signal?.aborted === true || !mayGo();
    return !withdrawn;
  };
  let unfit: DigestResult | undefined;
  const compose = () => {
    try {
      return messageOf(mail);
    } catch (fault) {
      unfit = uncomposed(deps, row, fault);
      throw fault;
    }
  };
  const to = recipientOf(mail);
  const outcome = await deps.transport.send({ to, compose }, mayBegin, {
    onContent: () => {
      withdrawn = !mayGo();
      if (withdrawn) return false;
      try {
        journal?.begin(row.id);
      } catch (error) {
        run.fault = error;
        withdrawn = true;
        return false;
      }
      begun = true;
      return true;
    },
    onRefusal: () => {
      begun = false;
      journal?.end({ ...claimOf(row), state: 'planned' });
    },
    onOutcome: (known) => {
      if (withdrawn) return;
      result = unfit ?? resultOf(row, known, { now: deps.now(), random: (deps.random ?? Math.random)() });
      if (begun) journal?.end(result);
    },
  });
  settled();
  if (!withdrawn) await react(deps, to, outcome);
  return result;
}

async function react(deps: DeliverDependencies, address: string, outcome: SendOutcome): Promise<void> {
  deps.throttle?.learn(address, outcome);
  const learning = deps.halt.learn(outcome);
  if (learning) await learning;
  // A failed write must not hide what became of the message: the same reply comes again next time.
  if (outcome.type === 'rejected' && outcome.scope === 'address')
    await deps.suppress(address, outcome.reply).catch(() => undefined);
}
