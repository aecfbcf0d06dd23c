import { isoDate } from '#src/database/ids.ts';
import { defineProcessor } from './processor.ts';

/** Delivers a range of the ledger; what is left when the process is asked to stop is found by the sweep. */
export const deliverDigests = defineProcessor(
  'deliver-digests',
  (useCases) =>
    ({ editionDate, from, to }, { signal, letGo }) =>
      useCases.deliverDigests({ editionDate: isoDate(editionDate), from, to }, { signal, letGo }),
);
