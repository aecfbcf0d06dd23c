/** How domains of recipients have treated us of late, as far as this process knows. */
export type DomainStanding = {
  /** It took a message. @returns whether that is news: it has been paused, its pause is over, and now it takes mail again */
  took(key: string): boolean;
  /** It asked for patience. @returns whether to leave it alone now */
  refused(key: string): boolean;
  /** It is left alone until then (of `performance.now()`). */
  paused(key: string, until: number): void;
};

/** A domain that has taken mail within this time, in milliseconds … */
const RECENT_MS = 60_000;
/** … is left alone only when it asks for patience so often in a row: one reader who is greylisted must not stop all others. */
const IN_A_ROW = 3;
/** Domains that are remembered. */
const LIMIT = 10_000;

type Known = { tookAt: number; refusals: number; pausedUntil: number | undefined };

/** Opens it, empty. Costs a look into a map for each message. */
export function createDomainStanding(): DomainStanding {
  const domains = new Map<string, Known>();
  const of = (key: string): Known => {
    let known = domains.get(key);
    if (known) return known;
    if (domains.size >= LIMIT) domains.delete(domains.keys().next().value as string);
    domains.set(key, (known = { tookAt: Number.NEGATIVE_INFINITY, refusals: 0, pausedUntil: undefined }));
    return known;
  };
  return {
    took: (key) => {
      const known = of(key);
      known.tookAt = performance.now();
      known.refusals = 0;
      if (known.pausedUntil === undefined || known.tookAt < known.pausedUntil) return false;
      known.pausedUntil = undefined;
      return true;
    },
    refused: (key) => {
      const known = of(key);
      known.refusals += 1;
      return known.refusals >= IN_A_ROW || performance.now() - known.tookAt > RECENT_MS;
    },
    paused: (key, until) => {
      of(key).pausedUntil = until;
    },
  };
}
