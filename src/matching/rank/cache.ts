/** A memory of the `limit` values used last. */
export function createCache<Value>(limit: number): (key: string, compute: () => Value) => Value {
  const known = new Map<string, Value>();
  return (key, compute) => {
    let value = known.get(key);
    if (value === undefined) value = compute();
    else known.delete(key);
    known.set(key, value);
    const oldest = known.keys().next();
    if (known.size > limit && !oldest.done) known.delete(oldest.value);
    return value;
  };
}
