import { type Static, Type } from 'typebox';

/**
 * Every job: its name and the schema of its payload, shared by producer and processor. Payloads hold row ids only;
 * the database is the truth, a queue can be flushed at any time.
 */
export const JOBS = {
  /** Deliver a range of ledger rows of one edition: ids `from` … `to`, both included. */
  'deliver-digests': Type.Object({
    editionDate: Type.String(),
    from: Type.Integer(),
    to: Type.Integer(),
  }),
  /** Deliver transactional mails by id; priority over digests. */
  'deliver-notices': Type.Object({ ids: Type.Array(Type.Integer(), { minItems: 1 }) }),
  /** Plan every due subscriber (the planner's beat). */
  plan: Type.Object({}),
  /** Rebuild jobs from the ledger: stranded, deferred and lapsed rows. */
  sweep: Type.Object({}),
  /** Poll the configured sources. */
  ingest: Type.Object({ source: Type.Optional(Type.String()) }),
  /** Make the vectors that papers and phrases lack, where there is an endpoint for them. */
  embed: Type.Object({}),
  /** Make partitions ahead, resume pauses that ended, remove expired confirmations. */
  upkeep: Type.Object({}),
} as const;

/** Name of a job. */
export type JobName = keyof typeof JOBS;
/** Payload of the job `Name`. */
export type JobPayload<Name extends JobName> = Static<(typeof JOBS)[Name]>;

/** Puts jobs on the queue. Enqueue after commit, never inside a transaction. */
export type JobQueue = {
  /**
   * Adds one job. Rejects only when the queue's backend is out of reach; the sweep then makes it good.
   * @param options.afterMs not before so many milliseconds; the same job is then not added a second time meanwhile
   */
  add<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    options?: { readonly afterMs?: number },
  ): Promise<void>;
};
