import type { HaltStore } from './halt-store.ts';
import type { SendOutcome } from './message.ts';

/**
 * Stops delivery when a relay rejects *us*: every further attempt would burn another reader's mail. The halt is in the
 * database, so that all workers stop with one alarm, and ends by itself once the relay takes a probe.
 */
export type Halt = {
  /** What was last seen, at most a second or so ago; costs nothing and may be asked before every message. */
  active(): boolean;
  /** `go`; `wait`: nothing may be sent; `probe`, for one worker at a time: send a few and learn from them. */
  turn(): Promise<'go' | 'probe' | 'wait'>;
  /** Learns from every outcome: raises the halt, or ends the one that this process probes. */
  learn(outcome: SendOutcome): Promise<void> | undefined;
};

/** How long what was seen in the database is believed, in milliseconds. */
const FRESH_MS = 1_000;
/** A relay that has just taken messages refuses us only when it does so this often in a row. */
const IN_A_ROW = 3;

/** Makes this process's view of the halt. */
export function createHalt(deps: {
  readonly store: HaltStore;
  /** Told in one process of all. */
  readonly onAlarm: (reply: string) => void;
  readonly onLifted?: () => void;
}): Halt {
  const { store } = deps;
  let halted = false;
  let probing = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | null = null;
  /** The relay has taken a message since this process began, or since the last halt. */
  let trusted = false;
  let refusals = 0;

  const look = (): Promise<void> => {
    looking ??= store
      .look()
      .then((state) => {
        halted = state !== null;
        if (!halted) probing = false;
        lookedAt = performance.now();
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  };

  const raise = async (reply: string) => {
    trusted = false;
    refusals = 0;
    probing = false;
    halted = true;
    lookedAt = performance.now();
    // A database out of reach: what was refused is given back all the same, and the next refusal raises it.
    if (await store.raise(reply).catch(() => false)) deps.onAlarm(reply);
  };

  const lift = async () => {
    probing = false;
    halted = false;
    lookedAt = performance.now();
    if (await store.lift().catch(() => false)) deps.onLifted?.();
  };

  return {
    active: () => {
      // A database out of reach: claims and hand-overs fail by themselves.
      if (performance.now() - lookedAt > FRESH_MS) look().catch(() => undefined);
      return halted && !probing;
    },
    turn: async () => {
      if (performance.now() - lookedAt > FRESH_MS) await look();
      if (!halted) return 'go';
      if (!probing) probing = await store.claimProbe();
      return probing ? 'probe' : 'wait';
    },
    learn: (outcome) => {
      if (outcome.type === 'accepted') {
        trusted = true;
        refusals = 0;
        return probing ? lift() : undefined;
      }
      if (outcome.type !== 'sender-rejected' || (halted && !probing)) return undefined;
      refusals += 1;
      // One reader's domain that our relay won't serve must not stop the mail of all others.
      return probing || !trusted || refusals >= IN_A_ROW ? raise(outcome.reply) : undefined;
    },
  };
}
