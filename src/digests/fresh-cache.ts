/** Reads values by key, and keeps each for a while. */
export type FreshCache<Key, Value> = (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>;

/**
 * Puts a memory of `keepMs` milliseconds in front of `read`: keys that were read lately are not read again. What `read` leaves out is
 * asked for each time.
 * @param options.limit how many values are kept; beyond it all are forgotten at once
 */
export function createFreshCache<Key, Value>(
  read: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
  options: { readonly now: () => Date; readonly keepMs: number; readonly limit: number },
): FreshCache<Key, Value> {
  const kept = new Map<Key, { readonly value: Value; readonly until: number }>();
  return async (keys) => {
    const at = options.now().getTime();
    const result = new Map<Key, Value>();
    for (const key of keys) {
      const known = kept.get(key);
      if (known && isFresh(known.until, at, options.keepMs)) result.set(key, known.value);
    }
    const missing = keys.filter((key) => !result.has(key));
    if (missing.length === 0) return result;
    const found = await read(missing);
    if (kept.size + found.size > options.limit) kept.clear();
    for (const [key, value] of found) {
      kept.set(key, { value, until: at + options.keepMs });
      result.set(key, value);
    }
    return result;
  };
}

/** A clock that was set back (a replay's) leaves nothing fresh for longer than it should be. */
function isFresh(until: number, at: number, keepMs: number): boolean {
  return at < until && until - at <= keepMs;
}
