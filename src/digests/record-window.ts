import { untilWritten } from '#src/database/until-written.ts';
import type { DeliveryRun } from './deliver-window.ts';
import type { DigestResult } from './ledger.ts';
import type { WindowResults } from './send-window.ts';

/** Resolves when fewer than `count` messages are late. */
export async function untilFewer(late: ReadonlySet<Promise<void>>, count: number): Promise<void> {
  while (late.size >= count) await Promise.race(late);
}

/**
 * Records a window when all of it is settled, or some time after half of it was; then what is late, each by itself.
 * @param known what became of its other rows
 * @throws what recording throws; of those that are late it is the run's `fault`
 */
export async function recordWindow(
  run: DeliveryRun,
  known: readonly DigestResult[],
  sent: Promise<WindowResults>,
  handedOverAt: Date,
): Promise<void> {
  const { settled, late } = await sent;
  for (const one of late) {
    const recorded = one
      .then((result) => record(run, [result], handedOverAt))
      .catch((error: unknown) => {
        run.fault ??= error;
      })
      .finally(() => run.late.delete(recorded));
    run.late.add(recorded);
  }
  await record(run, [...known, ...settled], handedOverAt);
}

/** Records results, however long the database is away, and counts those that were still ours. */
export async function record(
  run: DeliveryRun,
  results: readonly DigestResult[],
  handedOverAt?: Date,
): Promise<void> {
  if (results.length === 0) return;
  const written = await untilWritten(() => run.deps.ledger.record(results, handedOverAt));
  for (const result of results) if (written.has(result.id)) run.summary[result.state] += 1;
  run.lease.settle(results);
}
