import { defineProcessor } from './processor.ts';

/** The planner's beat: plans every reader who is due. */
export const plan = defineProcessor(
  'plan',
  (useCases) =>
    (_payload, { signal }) =>
      useCases.planDue({ signal }),
);

/** Rebuilds jobs from the ledger. */
export const sweep = defineProcessor('sweep', (useCases) => () => useCases.sweep());

/** Polls one source, or all that are configured. */
export const ingest = defineProcessor(
  'ingest',
  (useCases) =>
    ({ source }) =>
      useCases.ingest(source),
);

/** Makes the vectors that papers and phrases lack. */
export const embed = defineProcessor(
  'embed',
  (useCases) =>
    (_payload, { signal }) =>
      useCases.embed({ signal }),
);

/** Makes partitions ahead, ends pauses, removes what has expired. */
export const upkeep = defineProcessor('upkeep', (useCases) => () => useCases.upkeep());
