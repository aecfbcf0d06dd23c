import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { utcDate } from './database/ids.ts';
import type { Log } from './log.ts';
import { completeReferences } from './papers/complete-references.ts';
import { createNetwork } from './papers/network.ts';
import { createPaperStore } from './papers/paper-store.ts';
import { pollSource } from './papers/poll.ts';
import { createSources, type Sources } from './papers/sources/sources.ts';

/** Reading papers from the configured sources. */
export type Reading = {
  readonly sources: Sources;
  /** Reads one source from the network into the store and notes how it went; a fault is logged, a crash thrown. */
  poll(name: string): Promise<void>;
  /** Makes sure there are papers to show: from the sources, else from the sample that comes with Paperboy. */
  ensurePapers(): Promise<void>;
  /** Fetches papers that readers refer to and that are not known, see `completeReferences`; a fault is logged. */
  complete(identifiers: readonly string[]): Promise<void>;
  close(): Promise<void>;
};

/**
 * Opens the way to the sources: one polite HTTP client, rates shared by all processes on the database.
 * @param deps.log null: silent, for commands
 */
export function openReading(deps: {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log | null;
  readonly now: () => Date;
}): Reading {
  const { config, database, log, now } = deps;
  const { contact, keepAnswersIn, arxivCategories, addresses } = config.papers;
  const kept = keepAnswersIn ? { keepAnswersIn } : {};
  const network = createNetwork({ database, contact, now, addresses, ...kept });
  const sources = createSources({ network, arxivCategories, addresses });
  const store = createPaperStore({ database });

  // The start and the first beat ask for the same.
  const running = new Map<string, Promise<void>>();
  const poll = (name: string): Promise<void> => {
    const now = running.get(name) ?? pollOnce(name).finally(() => running.delete(name));
    running.set(name, now);
    return now;
  };

  const pollOnce = async (name: string) => {
    const outcome = await pollSource({ sources, store, memory: network.memory, now }, name);
    switch (outcome.type) {
      case 'unknown-source':
        throw new Error(
          `SOURCES names "${name}", which is no source; there are: ${outcome.known.join(', ')}.`,
        );
      case 'crashed':
        throw outcome.error;
      case 'polled': {
        const { faults, ...counts } = outcome.report;
        const level = outcome.report.faultCount > 0 ? 'warn' : 'info';
        log?.[level]({ source: name, ...counts, faults: faults.slice(0, 3) }, 'papers read');
      }
    }
  };

  const hasRecent = async () => {
    const at = now();
    const request = { on: utcDate(at), windowDays: config.digests.candidateDays, seenBefore: at };
    return (await store.candidatePapers(request)).length > 0;
  };

  return {
    sources,
    poll,
    ensurePapers: async () => {
      if (await hasRecent()) return;
      const failed = (error: unknown) => log?.warn({ err: error }, 'a source is out of reach');
      await Promise.all(config.papers.sources.map((name) => poll(name).catch(failed)));
      if (!(await hasRecent())) await poll('sample');
    },
    complete: async (identifiers) => {
      const report = await completeReferences({ sources, store, memory: network.memory, now }, identifiers);
      if (!report) return;
      const { faults, ...counts } = report;
      log?.[report.faultCount > 0 ? 'warn' : 'info'](
        { ...counts, faults: faults.slice(0, 3) },
        'papers that readers refer to',
      );
    },
    close: () => network.close(),
  };
}
