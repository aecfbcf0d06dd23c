import type { NoticeId } from '#src/database/ids.ts';
import type { DigestRange } from '#src/digests/ranges.ts';
import type { JobName, JobPayload } from '#src/queue/jobs.ts';
import type { JobContext, Processors } from '#src/queue/queue.ts';

/** The use cases that processors call, as `src/services.ts` wires them. */
export type WorkerUseCases = {
  readonly deliverDigests: (
    range: DigestRange,
    options: Pick<JobContext, 'signal' | 'letGo'>,
  ) => Promise<unknown>;
  readonly deliverNotices: (ids: readonly NoticeId[], options: Pick<JobContext, 'letGo'>) => Promise<unknown>;
  readonly planDue: (options: { readonly signal: AbortSignal }) => Promise<unknown>;
  readonly sweep: () => Promise<unknown>;
  /** Settles the claims of killed processes of this machine; not a job: only this machine can do it. */
  readonly settleJournals: () => Promise<{ readonly claims: number }>;
  /** Ends leases that have run out; not a job: every process measures times of grace for itself. */
  readonly watchLeases: () => Promise<{ readonly released: number; readonly resent: number }>;
  /** Makes the ledger's tables of this month and the next. */
  readonly makePartitions: () => Promise<unknown>;
  readonly ingest: (source: string | undefined) => Promise<unknown>;
  readonly embed: (options: { readonly signal: AbortSignal }) => Promise<unknown>;
  readonly upkeep: () => Promise<unknown>;
};

/** One job's processor: maps the payload to a call of a use case, and nothing else. */
export type Processor<Name extends JobName = JobName> = {
  readonly name: Name;
  readonly create: (useCases: WorkerUseCases) => Processors[Name];
};

/** Declares the processor of a job. A processor that throws has its job tried again. */
export const defineProcessor = <Name extends JobName>(
  name: Name,
  create: (useCases: WorkerUseCases) => (payload: JobPayload<Name>, context: JobContext) => Promise<unknown>,
): Processor<Name> => ({
  name,
  create: (useCases) => {
    const process = create(useCases);
    return (async (payload: JobPayload<Name>, context: JobContext) => {
      await process(payload, context);
    }) as Processors[Name];
  },
});
