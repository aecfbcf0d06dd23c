import { Value } from 'typebox/value';
import { JOBS, type JobName, type JobPayload } from './jobs.ts';

/** True when `name` is a job of {@link JOBS}. */
export const isJobName = (name: string): name is JobName => Object.hasOwn(JOBS, name);

/**
 * Checks a payload against the job's schema; used by the producer and again by the worker, since whatever lies in
 * the queue may have been written by another version.
 * @throws TypeError naming the job, the place in the payload and what is wrong with it
 */
export function parsePayload<Name extends JobName>(name: Name, payload: unknown): JobPayload<Name> {
  const schema = JOBS[name];
  if (Value.Check(schema, payload)) return payload as JobPayload<Name>;
  const faults = [...Value.Errors(schema, payload)].map(
    (fault) => `${fault.instancePath || 'payload'} ${fault.message}`,
  );
  throw new TypeError(`Job ${name} has a payload that doesn't fit: ${faults.join('; ')}`);
}
