import type { IsoDate } from '#src/database/ids.ts';

/** Where an entry was found and what to take where it says nothing itself. */
export type ReadContext = {
  /** File or URL, for faults. */
  readonly where: string;
  /** Listing day of entries that name none. */
  readonly day: IsoDate;
  /** When entries count as seen. */
  readonly observedAt: Date;
  /** Position on the list, from 1, where it means something. */
  readonly position?: number;
};
