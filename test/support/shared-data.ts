import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Folder of the real data the service is tuned on: beside the project, or where SHARED_DATA says. */
export const sharedData = resolve(
  process.env.SHARED_DATA ?? resolve(import.meta.dirname, '../../../shared/data'),
);

/** False where the real data is not at hand: tests over it then skip, with {@link skipNote} in their name. */
export const hasSharedData = existsSync(sharedData);

/** Add to the title of a `describe.skipIf(!hasSharedData)`, so that the report says why it was skipped. */
export const skipNote = hasSharedData ? '' : ' (skipped: no shared data beside the project)';
