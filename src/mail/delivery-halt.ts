/** Stops delivery when a relay rejects *us*: every further attempt would burn another reader's mail. */
export type Halt = {
  /** True while nothing may be sent. */
  active(): boolean;
  /** Raises it; the alarm is sounded once, however many messages met the same refusal. */
  raise(reply: string): void;
};

/**
 * A halt of this process. It ends by itself after `pauseMs` milliseconds (default 15 minutes): then a few messages try
 * again, and raise it anew if the relay still refuses.
 */
export function createHalt(deps: {
  readonly onAlarm: (reply: string) => void;
  readonly pauseMs?: number;
}): Halt {
  let until = 0;
  return {
    active: () => performance.now() < until,
    raise: (reply) => {
      if (performance.now() < until) return;
      until = performance.now() + (deps.pauseMs ?? 15 * 60_000);
      deps.onAlarm(reply);
    },
  };
}
