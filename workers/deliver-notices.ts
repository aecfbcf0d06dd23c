import type { NoticeId } from '#src/database/ids.ts';
import { defineProcessor } from './processor.ts';

/** Delivers transactional mails. */
export const deliverNotices = defineProcessor(
  'deliver-notices',
  (useCases) =>
    ({ ids }, { letGo }) =>
      useCases.deliverNotices(ids as NoticeId[], { letGo }),
);
