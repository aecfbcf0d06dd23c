/** Remembers the values asked for last. */
export type Memory<Key, Value> = {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
};

/**
 * A memory of at least the `limit` values used last, and of twice as many at most: when so many new ones have come,
 * those that nobody asked for meanwhile are forgotten. Cheaper than keeping them in order of use.
 */
export function createMemory<Key, Value>(limit: number): Memory<Key, Value> {
  let recent = new Map<Key, Value>();
  let older = new Map<Key, Value>();
  const set = (key: Key, value: Value): void => {
    if (recent.size >= limit) [older, recent] = [recent, new Map()];
    recent.set(key, value);
  };
  return {
    set,
    get(key) {
      const value = recent.get(key);
      if (value !== undefined) return value;
      const old = older.get(key);
      if (old !== undefined) set(key, old);
      return old;
    },
  };
}

/** Computes each value once and keeps it: for keys that are few and small numbers. */
export function memo<Value>(compute: (key: number) => Value): (key: number) => Value {
  const known: (Value | undefined)[] = [];
  return (key) => {
    let value = known[key];
    if (value === undefined) known[key] = value = compute(key);
    return value;
  };
}
