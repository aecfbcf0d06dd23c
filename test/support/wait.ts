import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `condition` answers something truthy, and answers that.
 * @throws Error naming `what` when it has not come true within `timeoutMs` (default 10 s)
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}`);
    await delay(10);
  }
}
