import type { IsoDate } from '#src/database/ids.ts';
import { startOfDay } from './json-lines.ts';

/** Where an entry was found and what to take where it says nothing itself. */
export type ReadContext = {
  /** File or URL, for faults. */
  readonly where: string;
  /** Listing day of entries that name none. */
  readonly day: IsoDate;
  /** When entries count as seen. */
  readonly observedAt: Date;
  /** The answer was received at `observedAt`. Else it is a recorded one, whose entries count as seen when their day began. */
  readonly live?: boolean;
  /** Position on the list, from 1, where it means something. */
  readonly position?: number;
};

/** When an entry that bears a day counts as seen: see {@link ReadContext.live}. */
export function seenAt({ observedAt, live }: ReadContext, day: IsoDate | undefined): Date {
  if (live || day === undefined) return observedAt;
  const begin = startOfDay(day);
  return begin < observedAt ? begin : observedAt;
}
