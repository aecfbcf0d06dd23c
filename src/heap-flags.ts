/**
 * Flags of V8 for every Paperboy process. A worker has some 40 MB alive; V8 would let the young generation grow to 128 MB, and the heap to
 * four times what is alive before it collects. Functions that the compiler makes larger than a third of its own limit by taking others
 * into them cost more to compile than they save: an eighth of what 10,000 readers take to be chosen for.
 */
export const HEAP_FLAGS: readonly string[] = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=100',
  '--max-inlined-bytecode-size-cumulative=300',
];
