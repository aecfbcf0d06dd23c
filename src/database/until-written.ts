import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between attempts: about ten minutes in all. */
const PAUSES = [100, 250, 500, 1_000, 2_000, ...Array.from({ length: 120 }, () => 5_000)];

/**
 * Writes what must not be forgotten because the database restarts: tried again for ten minutes.
 * @param write may be done twice: a lost connection leaves open whether it was done
 * @throws what the last attempt threw
 */
export async function untilWritten<Result>(write: () => Promise<Result>): Promise<Result> {
  for (const pause of PAUSES) {
    try {
      return await write();
    } catch {
      await delay(pause);
    }
  }
  return write();
}
