import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that lets go after each step of a few milliseconds at most; what it returns is its result. */
export type Steps<Result> = Generator<void, Result>;

/** Milliseconds of work after which the event loop gets a turn. */
const SLICE_MS = 8;
/** Items of a list that make a step. */
const ITEMS = 8;

/** Does all steps without a pause. */
export function atOnce<Result>(work: Steps<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Does the steps with a turn of the event loop between, so that requests and mails go on meanwhile. */
export async function inSlices<Result>(work: Steps<Result>): Promise<Result> {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const step = work.next();
      if (step.done) return step.value;
    }
    await nextTurn();
  }
}

/** `items.map(make)` in steps. */
export function* mapInSteps<Item, Made>(
  items: readonly Item[],
  make: (item: Item, at: number) => Made,
): Steps<Made[]> {
  const made: Made[] = [];
  for (const [at, item] of items.entries()) {
    if (at % ITEMS === 0) yield;
    made.push(make(item, at));
  }
  return made;
}
