import { join } from 'node:path';
import type { WorkerUseCases } from '#workers/processor.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { addDays, utcDate } from './database/ids.ts';
import { createDeliverDigests } from './digests/deliver.ts';
import type { EmbeddingsEndpoint } from './digests/embeddings/endpoint.ts';
import { openJournals } from './digests/journal.ts';
import { ensurePartitions } from './digests/partition-store.ts';
import { createRecoveryStore } from './digests/recovery-store.ts';
import { pruneLedger } from './digests/retention-store.ts';
import { createSettleJournals, type SettlementSummary } from './digests/settle-journals.ts';
import { giveSignOfLife } from './digests/sign-of-life.ts';
import { createLapseWatch, createSweep } from './digests/sweep.ts';
import type { Log } from './log.ts';
import { createDeliverNotices } from './mail/deliver-notices.ts';
import { createHalt } from './mail/delivery-halt.ts';
import { createHaltStore } from './mail/halt-store.ts';
import type { MailTransport } from './mail/message.ts';
import { createThrottle, parseLimits } from './mail/throttle.ts';
import { createThrottleStore } from './mail/throttle-store.ts';
import { recordReaderVotes } from './papers/reader-votes-store.ts';
import type { JobQueue } from './queue/jobs.ts';
import type { Reading } from './reading.ts';
import type { Services } from './services.ts';
import { addressKey } from './subscribers/lifecycle.ts';

/** What delivery stands on. */
export type DeliveryFoundations = {
  readonly services: Services;
  readonly transport: MailTransport;
  readonly config: Config;
  readonly database: Database;
  readonly queue: JobQueue;
  /** How many jobs that deliver digests wait or run; absent where jobs are run directly. */
  readonly backlog?: () => Promise<number>;
  /** Folder of the send journals, on a local disk and the same for every process of the machine. */
  readonly journalDirectory: string;
  readonly log: Log;
  readonly now: () => Date;
};

/** What all the workers' use cases stand on. */
export type UseCaseFoundations = DeliveryFoundations & {
  /** Where papers come from. */
  readonly reading: Pick<Reading, 'poll' | 'complete'>;
  /** Makes vectors of papers and phrases; absent where none is set. */
  readonly endpoint?: EmbeddingsEndpoint;
};

/** A notice of a killed worker is free again after so many milliseconds: somebody waits for it. It is renewed while it is on its way. */
const NOTICE_LEASE_MS = 60_000;

/** Notices that a job takes at most. */
const NOTICES_PER_JOB = 50;

/** Wires delivery on top of the services: of digests, of notices, and what puts right what a crash left behind. */
export function createDelivery(on: DeliveryFoundations) {
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
    store: createHaltStore({ database }),
    onAlarm: (reply) =>
      log.fatal(
        { reply },
        'the relay refuses us as a sender: all workers pause, and try a few mails after 1, 2, 4 … 15 minutes (see paperboy ledger)',
      ),
    onLifted: () => log.warn('the relay takes our mail again: delivery goes on'),
  });

  const throttle = createThrottle({
    store: createThrottleStore({ database }),
    limits: parseLimits(config.sendLimits.rates, config.sendLimits.warmUp),
    now,
  });
  const journals = openJournals({
    directory: on.journalDirectory,
    signs: giveSignOfLife(join(on.journalDirectory, 'alive')),
  });
  const store = createRecoveryStore({ database, now });

  const deliverDigests = createDeliverDigests({
    ledger: services.ledger,
    journals,
    compose: services.digestComposer.compose,
    transport,
    suppressedAmong,
    suppress,
    halt,
    throttle,
    again: (range, afterMs) => queue.add('deliver-digests', range, { afterMs }),
    now,
    leaseMs,
    onFault: (error, row) => log.error({ err: error, digest: row.id }, 'a digest could not be composed'),
  });
  const deliverNotices = createDeliverNotices({
    store: services.notices,
    openJournal: journals.openNotices,
    compose: services.composeNotice,
    transport,
    suppressedAmong,
    suppress,
    throttle,
    halt,
    again: (id, afterMs) => queue.add('deliver-notices', { ids: [id] }, { afterMs }),
    now,
    leaseMs: NOTICE_LEASE_MS,
    onFault: (error, notice) => log.error({ err: error, notice }, 'a notice could not be composed'),
  });
  const settleJournals = createSettleJournals({
    journals,
    ledger: services.ledger,
    store,
    notices: services.notices,
    onFault: (error, file) => log.error({ err: error, file }, 'a journal could not be settled'),
  });
  /** What was freed goes on at once; where the queue is away the sweep finds it. */
  const goOn = async ({ notices, strays }: SettlementSummary) => {
    for (const range of strays) await queue.add('deliver-digests', range);
    for (let start = 0; start < notices.length; start += NOTICES_PER_JOB)
      await queue.add('deliver-notices', { ids: notices.slice(start, start + NOTICES_PER_JOB) });
  };
  const { unknownPolicy } = config.digests;
  const watch = createLapseWatch({ store, unknownPolicy });
  const sweep = createSweep(
    {
      store,
      notices: services.notices,
      queue,
      ...(on.backlog ? { backlog: on.backlog } : {}),
      unknownPolicy,
    },
    watch,
  );

  return {
    deliverDigests,
    deliverNotices,
    sweep: async () => {
      // Side by side: neither must keep the other from being done.
      const [summary] = await Promise.all([sweep(), services.subscribers.goOnWithRequests()]);
      if (summary.unknown > 0) log.warn(summary, 'digests whose fate is not known');
      return summary;
    },
    watchLeases: async () => {
      const summary = await watch();
      if (summary.unknown > 0) log.warn(summary, 'digests whose fate is not known');
      return summary;
    },
    settleJournals: async () => {
      const summary = await settleJournals();
      const counts = { ...summary, notices: summary.notices.length, strays: summary.strays.length };
      if (counts.claims + counts.notices > 0) log.warn(counts, 'settled what a killed process left behind');
      await goOn(summary).catch(() => undefined);
      return summary;
    },
  };
}

/** How long the API remembers its answers to writes with an Idempotency-Key, in milliseconds. */
const ANSWERS_KEPT_MS = 7 * 86_400_000;

/** How long notices stay after they were sent or given up, for the bounces that come back, in milliseconds. */
const NOTICES_KEPT_MS = 30 * 86_400_000;

/** Followed papers looked for at once. */
const REFERENCES_LIMIT = 5000;

/** Wires everything the workers call: delivery, plan, ingest, upkeep. */
export function createWorkerUseCases(
  on: UseCaseFoundations,
): WorkerUseCases & ReturnType<typeof createDelivery> {
  const { services, config, database, log, now } = on;
  const makePartitions = () =>
    ensurePartitions(database, addDays(utcDate(now()), -1), addDays(utcDate(now()), 40));
  return {
    ...createDelivery(on),
    makePartitions,
    planDue: async ({ signal }) => {
      const report = await services.planner.planDue({ signal });
      if (report.due > 0) log.info(report, 'planned');
      return report;
    },
    ingest: async (only) => {
      const crashes: unknown[] = [];
      // One that breaks down here takes no other along.
      for (const name of only === undefined ? config.papers.sources : [only])
        await on.reading.poll(name).catch((error: unknown) => crashes.push(error));
      await recordReaderVotes(database, now());
      await services.noteCoverage(now());
      if (config.papers.sources.includes('arxiv'))
        await on.reading
          .complete(await services.topics.unknownPapers(REFERENCES_LIMIT))
          .catch((error: unknown) => crashes.push(error));
      // The beat would find the new papers too, a little later.
      if (services.embeddings) await on.queue.add('embed', {}).catch(() => undefined);
      if (crashes.length > 0) throw crashes[0];
    },
    embed: async ({ signal }) => {
      if (!services.embeddings || !on.endpoint) return;
      const report = await services.embeddings.make(on.endpoint, signal);
      if (report?.fault) log.warn(report, 'vectors could not be made: papers without are ranked by LSA');
      else if (report && report.made > 0) log.info(report, 'vectors made');
    },
    upkeep: async () => {
      const today = utcDate(now());
      await makePartitions();
      await services.noteCoverage(now());
      await services.editions.freezeBefore(addDays(today, -1), now());
      const report = await services.subscribers.upkeep();
      await services.idempotency.removeBefore(new Date(now().getTime() - ANSWERS_KEPT_MS));
      await services.notices.removeFinished(new Date(now().getTime() - NOTICES_KEPT_MS));
      const pruned = await pruneLedger(database, { days: config.digests.ledgerDays, now: now() });
      if (pruned.months.length > 0 || pruned.rows > 0) log.info(pruned, 'old editions left the ledger');
      const refit = await services.statistics.refitIfDue();
      if (refit.type === 'fitted') log.info(refit, 'fitted statistics of matching');
      return report;
    },
  };
}
