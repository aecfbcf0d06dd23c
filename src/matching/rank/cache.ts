/** Remembers values by key. */
export type Cache<Value> = {
  /** The value of a key, computed where it is not remembered. */
  get(key: string, compute: () => Value): Value;
  has(key: string): boolean;
};

/** A memory of the `limit` values used last. */
export function createCache<Value>(limit: number): Cache<Value> {
  const known = new Map<string, Value>();
  return {
    has: (key) => known.has(key),
    get(key, compute) {
      let value = known.get(key);
      if (value === undefined) value = compute();
      else known.delete(key);
      known.set(key, value);
      const oldest = known.keys().next();
      if (known.size > limit && !oldest.done) known.delete(oldest.value);
      return value;
    },
  };
}
