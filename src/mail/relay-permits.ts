import type { Relay } from './smtp-relay.ts';
import type { ThrottleStore } from './throttle-store.ts';

/** Permits to give messages to one relay, out of what all workers together may give it. */
export type RelayPermits = {
  /** How many messages may go now. When there is none, more are asked for, and `onMore` is called once there are. */
  available(): number;
  /** One of {@link RelayPermits.available} is used. */
  use(): void;
};

/** The database is asked for so many at once: what a second allows, so that a provider's limit per second holds too. */
const atOnce = (perMinute: number) => Math.max(1, Math.floor(perMinute / 60));
/** Between two questions at least, and after a fault of the database; milliseconds. */
const PAUSE_MS = { least: 50, most: 10_000, fault: 1_000 };

/**
 * Makes the permits of a relay with a limit. They are taken in the database before a message goes, in small lots: what
 * a process that ends had left is not used, so that the limit is never exceeded.
 * @param deps.perMinute messages a minute over all processes
 */
export function createRelayPermits(deps: {
  readonly store: Pick<ThrottleStore, 'take'>;
  readonly relay: Pick<Relay, 'name'>;
  readonly perMinute: number;
  readonly onMore: () => void;
}): RelayPermits {
  const limit = { key: `relay:${deps.relay.name}`, perMinute: deps.perMinute, burst: atOnce(deps.perMinute) };
  let left = 0;
  let asking = false;

  const ask = async () => {
    asking = true;
    const grants = await deps.store.take([{ limit, wanted: limit.burst }]).catch(() => null);
    const grant = grants?.get(limit.key);
    left += grant?.granted ?? 0;
    if (left > 0) {
      asking = false;
      return deps.onMore();
    }
    const pause = grant ? Math.min(Math.max(grant.waitMs, PAUSE_MS.least), PAUSE_MS.most) : PAUSE_MS.fault;
    setTimeout(() => void ask(), pause).unref();
  };

  return {
    available: () => {
      if (left === 0 && !asking) void ask();
      return left;
    },
    use: () => {
      left -= 1;
    },
  };
}
