/**
 * Flags of V8 for every Paperboy process. A worker has some 35 MB alive; V8 would let the young generation grow to 128 MB, and the heap to
 * four times what is alive before it collects.
 *
 * V8 also makes objects old from the start where it has seen them survive. Whether ours do depends on the moment (what a window of digests
 * holds does, the same code's objects for one that is being put together do not), and most of what it made old was garbage at once: of a
 * digest's 45 KB nearly 10 were, and without that guess 4 are.
 *
 * Functions that the compiler makes larger than a third of its own limit by taking others into them cost more to compile than they save: an
 * eighth of what 10,000 readers take to be chosen for.
 */
export const HEAP_FLAGS: readonly string[] = [
  '--max-semi-space-size=16',
  '--heap-growing-percent=50',
  '--no-allocation-site-pretenuring',
  '--max-inlined-bytecode-size-cumulative=300',
];
