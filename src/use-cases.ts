import type { WorkerUseCases } from '#workers/processor.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { addDays, utcDate } from './database/ids.ts';
import { createDeliverDigests } from './digests/deliver.ts';
import { openJournals } from './digests/journal.ts';
import { ensurePartitions } from './digests/partition-store.ts';
import { createRecoveryStore } from './digests/recovery-store.ts';
import { createSettleJournals } from './digests/settle-journals.ts';
import { createSweep } from './digests/sweep.ts';
import type { Log } from './log.ts';
import { createDeliverNotices } from './mail/deliver-notices.ts';
import { createHalt } from './mail/delivery-halt.ts';
import type { MailTransport } from './mail/message.ts';
import { ingest } from './papers/ingest.ts';
import { createSources } from './papers/sources/sources.ts';
import type { JobQueue } from './queue/jobs.ts';
import type { Services } from './services.ts';
import { addressKey } from './subscribers/lifecycle.ts';

/** What the workers' use cases stand on. */
export type UseCaseFoundations = {
  readonly services: Services;
  readonly transport: MailTransport;
  readonly config: Config;
  readonly database: Database;
  readonly queue: JobQueue;
  /** Folder of the send journals, on a local disk and the same for every process of the machine. */
  readonly journalDirectory: string;
  readonly log: Log;
  readonly now: () => Date;
};

/** A notice or a digest may wait for its final reply this long (RFC 5321 section 4.5.3.2.6), in milliseconds. */
const NOTICE_LEASE_MS = 15 * 60_000;

/** Wires what the workers call, on top of the services: delivery, sweep, ingest, upkeep. */
export function createWorkerUseCases(on: UseCaseFoundations) {
  const { services, transport, config, database, queue, log, now } = on;
  const leaseMs = config.digests.leaseSeconds * 1000;
  const suppressedAmong = async (addresses: readonly string[]) => {
    const keys = new Map(addresses.map((address) => [addressKey(address), address]));
    const found = await services.suppressions.among(database, [...keys.keys()]);
    // Who merely unsubscribed is kept from digests by the state of the subscription, and may still get a goodbye.
    const barred = [...found].filter(([, reason]) => reason !== 'unsubscribed');
    return new Set(barred.map(([key]) => keys.get(key) ?? key));
  };
  const suppress = async (address: string, reply: string) => {
    log.warn({ reply }, 'an address was refused for good and is suppressed');
    await services.suppressions.add(database, addressKey(address), 'hard_bounce', now(), reply);
  };
  const halt = createHalt({
    onAlarm: (reply) =>
      log.fatal({ reply }, 'the relay refuses us as a sender: delivery pauses for 15 minutes'),
  });

  const journals = openJournals({ directory: on.journalDirectory });
  const store = createRecoveryStore({ database, now });

  const deliverDigests = createDeliverDigests({
    ledger: services.ledger,
    journals,
    compose: services.digestComposer.compose,
    transport,
    suppressedAmong,
    suppress,
    halt,
    now,
    leaseMs,
    onFault: (error, row) => log.error({ err: error, digest: row.id }, 'a digest could not be composed'),
  });
  const deliverNotices = createDeliverNotices({
    store: services.notices,
    compose: services.composeNotice,
    transport,
    suppressedAmong,
    suppress,
    now,
    leaseMs: NOTICE_LEASE_MS,
  });
  const settleJournals = createSettleJournals({ journals, ledger: services.ledger, store });
  const sweep = createSweep({
    store,
    notices: services.notices,
    queue,
    unknownPolicy: config.digests.unknownPolicy,
  });

  const readSource = async (name: string, days: { from?: ReturnType<typeof utcDate> } = {}) => {
    const source = createSources().get(name);
    if (!source) throw new Error(`SOURCES names "${name}", which is no source.`);
    const report = await ingest({ items: source.read({ now: now(), ...days }), store: services.papers });
    const { faults, ...counts } = report;
    log[faults.length > 0 ? 'warn' : 'info'](
      { source: name, ...counts, faults: faults.slice(0, 5) },
      'papers read',
    );
    return report;
  };

  return {
    deliverDigests,
    deliverNotices,
    sweep: async () => {
      const summary = await sweep();
      if (summary.unknown > 0) log.warn(summary, 'digests whose fate is not known');
      return summary;
    },
    settleJournals: async () => {
      const summary = await settleJournals();
      if (summary.claims > 0) log.warn(summary, 'settled what a killed process left behind');
      return summary;
    },
    planDue: async ({ signal }) => {
      const report = await services.planner.planDue({ signal });
      if (report.due > 0) log.info(report, 'planned');
      return report;
    },
    ingest: async (only) => {
      for (const name of only === undefined ? config.papers.sources : [only]) await readSource(name);
    },
    upkeep: async () => {
      const today = utcDate(now());
      await ensurePartitions(database, addDays(today, -1), addDays(today, 40));
      await services.editions.freezeBefore(addDays(today, -1), now());
      return services.subscribers.upkeep();
    },
    /** At the first start, or after a long pause: something to show, from the sources or else the sample. */
    ensurePapers: async () => {
      const recent = () =>
        services.papers.candidatePapers({
          on: utcDate(now()),
          windowDays: config.digests.candidateDays,
          seenBefore: now(),
        });
      if ((await recent()).length > 0) return;
      for (const name of config.papers.sources)
        await readSource(name).catch((error: unknown) =>
          log.warn({ err: error, source: name }, 'source out of reach'),
        );
      if ((await recent()).length > 0) return;
      await readSource('sample');
    },
  } satisfies WorkerUseCases & { ensurePapers(): Promise<void> };
}
