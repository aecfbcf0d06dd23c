/**
 * Flags of V8 for every Paperboy process. A worker has some 40 MB alive; V8 would let the young generation grow to 128 MB, and the heap to
 * four times what is alive before it collects.
 */
export const HEAP_FLAGS: readonly string[] = ['--max-semi-space-size=8', '--heap-growing-percent=100'];
