/** Values by key, made when first asked for. */
export type Cache<Value> = (key: string, make: () => Value) => Value;

/** A cache of at most `limit` values; when it is full the oldest goes. */
export function createCache<Value>(limit: number): Cache<Value> {
  const known = new Map<string, Value>();
  return (key, make) => {
    const hit = known.get(key);
    if (hit !== undefined) return hit;
    if (known.size >= limit) known.delete(known.keys().next().value as string);
    const made = make();
    known.set(key, made);
    return made;
  };
}
