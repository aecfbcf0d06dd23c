/** Polls come every quarter of an hour: after three that didn't there has been a break. */
const BREAK_MS = 45 * 60_000;
/** Milliseconds that planning waits at most for what came meanwhile. */
const HOLD_MS = 30 * 60_000;

/**
 * Tells whether the service is back from a break and still reading what it missed. Digests that are overdue wait for that:
 * planned at once, they would hold nothing, and the best of the break would come a day later. Half an hour at most, from the
 * first time it is seen.
 * @param deps.lastPolls when each source was last asked; sources never asked are absent
 */
export function createCatchingUp(deps: {
  readonly lastPolls: () => Promise<readonly Date[]>;
}): (at: Date) => Promise<boolean> {
  let since: Date | undefined;
  return async (at) => {
    const polls = await deps.lastPolls();
    if (!polls.some((poll) => at.getTime() - poll.getTime() >= BREAK_MS)) since = undefined;
    else since ??= at;
    return since !== undefined && at.getTime() - since.getTime() < HOLD_MS;
  };
}
